// The executor against the plain forward pass in double, and what it promises: the same bits at any thread
// count and batching, errors that name the place, a stop that is seen.
#include <QTemporaryDir>
#include <QtTest>

#include "core/run/forward.h"
#include "kernels/dense/instruction_set.h"
#include "tests/unit/run/tiny_llama.h"

using namespace bitlens;
using testing::TinyLlama;

namespace {

struct Run {
  std::vector<std::vector<float>> states;  // after the embedding and after every layer
  std::optional<Error> error;
};

Run run_all(const std::shared_ptr<const model::Model>& model,
            const std::vector<std::vector<std::int32_t>>& windows, int threads, std::size_t batch,
            bool round = false) {
  Run result;
  ThreadPool pool(threads);
  const WorkContext work{pool};
  const auto source = run::file_weights(model);
  const auto context = static_cast<std::uint32_t>(windows[0].size());
  auto forward = run::Forward::create(*source, context, round);
  if (!forward) return {{}, forward.error()};
  const std::size_t row = forward->parameters().width, window = context * row;
  std::vector<float> hidden(windows.size() * window);
  if (auto s = forward->embed(windows, hidden.data(), work); !s) return {{}, s.error()};
  result.states.push_back(hidden);
  run::LayerWeights weights;
  run::LayerActivations activations;
  for (std::uint32_t layer = 0; layer < forward->parameters().layers; ++layer) {
    if (auto s = forward->load_layer(static_cast<int>(layer), weights, work); !s) return {{}, s.error()};
    for (std::size_t w = 0; w < windows.size(); w += batch) {
      const std::size_t some = std::min(batch, windows.size() - w);
      if (auto s = forward->run_layer(weights, hidden.data() + w * window, some, activations, work); !s)
        return {{}, s.error()};
    }
    result.states.push_back(hidden);
  }
  return result;
}

}  // namespace

class ForwardTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  std::string path(const char* name) { return folder_.filePath(QLatin1String(name)).toStdString(); }

 private slots:
  void matches_double_data() {
    QTest::addColumn<QString>("kind");
    for (const char* kind : {"grouped", "one key head", "as many key heads", "tied", "divisors", "biases",
                             "partial rope", "linear rope", "sliding window", "wide heads"})
      QTest::newRow(kind) << kind;
  }
  void matches_double() {
    QFETCH(QString, kind);
    TinyLlama tiny;
    if (kind == "one key head") tiny.kv_heads = 1;
    if (kind == "as many key heads") tiny.kv_heads = 4;
    if (kind == "tied") tiny.tied = true;
    if (kind == "divisors") tiny.rope_freqs = true;
    if (kind == "biases") tiny.biases = true;
    if (kind == "partial rope") tiny.rope_dimensions = 4;
    if (kind == "linear rope") tiny.linear_factor = 4.0;
    if (kind == "sliding window") tiny.sliding_window = 5;
    if (kind == "wide heads") tiny.head_dim = 10;  // heads x head_dim is not the width
    tiny.draw();
    const auto model = tiny.open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    QVERIFY2(model->llama(), model->llama() ? "" : model->llama().error().describe().c_str());
    QCOMPARE(model->llama()->tied_output, tiny.tied);
    const auto windows = testing::random_windows(3, 61, tiny.vocabulary);
    // Tiles keep 16 bits of every number.
    for (const auto& [tiles, tolerance] : {std::pair{false, 3e-5}, std::pair{true, 4e-4}}) {
      kernels::allow_tiles(tiles);
      const Run result = run_all(model, windows, 2, 2);
      QVERIFY2(!result.error, result.error ? result.error->describe().c_str() : "");
      for (std::size_t w = 0; w < windows.size(); ++w) {
        const auto expected = tiny.hidden_states(windows[w]);
        for (std::size_t layer = 0; layer < expected.size(); ++layer)
          for (std::size_t p = 0; p < windows[w].size(); ++p)
            for (std::size_t i = 0; i < tiny.width; ++i) {
              const double ours =
                  static_cast<double>(result.states[layer][(w * windows[w].size() + p) * tiny.width + i]);
              QVERIFY2(std::fabs(ours - expected[layer][p][i]) < tolerance,
                       qPrintable(QString("layer %1 position %2: %3, expected %4")
                                      .arg(layer)
                                      .arg(p)
                                      .arg(ours)
                                      .arg(expected[layer][p][i])));
            }
      }
    }
  }

  void logits_match_double_data() {
    QTest::addColumn<bool>("tiles");
    QTest::newRow("vectors") << false;
    QTest::newRow("tiles, if there are") << true;
  }
  void logits_match_double() {
    QFETCH(bool, tiles);
    kernels::allow_tiles(tiles);
    const double tolerance = tiles ? 4e-4 : 5e-5;
    for (const bool tied : {false, true}) {
      TinyLlama tiny;
      tiny.tied = tied;
      const auto model = tiny.draw().open(path("tiny.gguf"));
      QVERIFY(model != nullptr);
      const auto windows = testing::random_windows(1, 10, tiny.vocabulary);
      const Run result = run_all(model, windows, 1, 1);
      QVERIFY(!result.error);
      ThreadPool pool(2);
      const WorkContext work{pool};
      const auto source = run::file_weights(model);
      const auto forward = run::Forward::create(*source, 10, false);
      std::vector<float> normed(10 * tiny.width);
      QVERIFY(forward->normalize_output(result.states.back().data(), 10, normed.data(), work));
      run::Linear output;
      QVERIFY(forward->load_output(20, 33, output, work));  // a slab of the vocabulary
      std::vector<float> logits(10 * 33);
      kernels::multiply(output.weights, 0, output.weights.panels(), normed.data(), 10, tiny.width,
                        logits.data(), 33, false);
      const auto expected = tiny.logits(windows[0]);
      for (std::size_t p = 0; p < 10; ++p)
        for (std::size_t i = 0; i < 33; ++i)
          QVERIFY(std::fabs(static_cast<double>(logits[p * 33 + i]) - expected[p][20 + i]) < tolerance);
    }
  }

  void same_bits_at_any_thread_count_and_batching() {
    TinyLlama tiny;
    tiny.width = 40;
    tiny.ffn = 300;
    const auto model = tiny.draw().open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    const auto windows = testing::random_windows(5, 50, tiny.vocabulary);
    const Run reference = run_all(model, windows, 1, 5);
    QVERIFY(!reference.error);
    for (const int threads : {2, 3, 5})
      QVERIFY(run_all(model, windows, threads, 5).states == reference.states);
    QVERIFY(run_all(model, windows, 2, 1).states == reference.states);
    QVERIFY(run_all(model, windows, 3, 2).states == reference.states);
  }

  void rounding_needs_quantized_weights() {
    TinyLlama tiny;  // all F32: nothing is rounded
    const auto model = tiny.draw().open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    const auto windows = testing::random_windows(1, 20, tiny.vocabulary);
    QVERIFY(run_all(model, windows, 1, 1, true).states == run_all(model, windows, 1, 1, false).states);
  }

  void not_a_number_names_layer_and_tensor() {
    TinyLlama tiny;
    tiny.draw();
    for (float& value : tiny.tensors["blk.1.ffn_down.weight"])
      value = 3e38F;  // finite, but its products are not
    const auto model = tiny.open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    const Run result = run_all(model, testing::random_windows(2, 12, tiny.vocabulary), 2, 2);
    QVERIFY(result.error.has_value());
    QCOMPARE(result.error->code, ErrorCode::Numeric);
    QCOMPARE(result.error->where.object, std::string("blk.1.ffn_down.weight"));
    QVERIFY(result.error->message.find("layer 1") != std::string::npos);
  }

  void refuses_tokens_and_windows_that_do_not_fit() {
    TinyLlama tiny;
    const auto model = tiny.draw().open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    auto windows = testing::random_windows(2, 12, tiny.vocabulary);
    windows[1][3] = static_cast<std::int32_t>(tiny.vocabulary);
    QCOMPARE(run_all(model, windows, 1, 1).error->code, ErrorCode::InvalidArgument);
    windows[1][3] = -1;
    QCOMPARE(run_all(model, windows, 1, 1).error->code, ErrorCode::InvalidArgument);
    windows[1].pop_back();
    QCOMPARE(run_all(model, windows, 1, 1).error->code, ErrorCode::InvalidArgument);
  }

  void observer_sees_every_linear_input_in_order() {
    TinyLlama tiny;
    const auto model = tiny.draw().open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    const auto windows = testing::random_windows(3, 20, tiny.vocabulary);
    const auto source = run::file_weights(model);
    const auto collect = [&](int threads, std::uint64_t budget) {
      std::map<std::string, std::vector<float>> inputs;
      ThreadPool pool(threads);
      const WorkContext work{pool};
      const auto observer = [&](const run::LinearInput& input) -> Status {
        for (const std::size_t tensor : input.tensors) {
          const io::TensorInfo& info = model->file().tensors()[tensor];
          if (input.columns != info.row_length() || input.values.size() != input.rows * input.columns)
            return fail(ErrorCode::InvalidArgument, "shape");
          auto& all = inputs[info.name];
          all.insert(all.end(), input.values.begin(), input.values.end());
        }
        return {};
      };
      const auto status = run::observe_inputs(*source, windows, budget, observer, work);
      return status ? inputs : std::map<std::string, std::vector<float>>{};
    };
    const auto inputs = collect(1, 1 << 20);
    QCOMPARE(inputs.size(), std::size_t{2 * 7 + 1});
    for (const auto& [name, values] : inputs)
      QCOMPARE(values.size(),
               3 * 20 * model->file().tensors()[*model->file().find_tensor(name)].row_length());
    QVERIFY(inputs.at("blk.1.attn_q.weight") == inputs.at("blk.1.attn_v.weight"));
    // The first layer's input is the norm of the embedding.
    const double first = static_cast<double>(inputs.at("blk.0.attn_k.weight")[7]);
    double squares = 0.0;
    const auto& embedding = tiny.tensors["token_embd.weight"];
    const std::size_t at = static_cast<std::size_t>(windows[0][0]) * tiny.width;
    for (std::size_t i = 0; i < tiny.width; ++i)
      squares += static_cast<double>(embedding[at + i]) * static_cast<double>(embedding[at + i]);
    const double expected = static_cast<double>(embedding[at + 7]) /
                            std::sqrt(squares / static_cast<double>(tiny.width) + tiny.epsilon) *
                            static_cast<double>(tiny.tensors["blk.0.attn_norm.weight"][7]);
    QVERIFY(std::fabs(first - expected) < 1e-6);
    QVERIFY(collect(3, 1 << 20) == inputs);
    QVERIFY(collect(2, 1) == inputs);  // one window at a time
  }

  void observer_errors_end_the_pass() {
    TinyLlama tiny;
    const auto model = tiny.draw().open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    ThreadPool pool(1);
    const auto source = run::file_weights(model);
    int calls = 0;
    const auto observer = [&](const run::LinearInput&) -> Status {
      return ++calls < 3 ? Status{} : Status(fail(ErrorCode::OutOfSpace, "enough"));
    };
    const auto windows = testing::random_windows(2, 8, tiny.vocabulary);
    const auto status = run::observe_inputs(*source, windows, 1 << 20, observer, WorkContext{pool});
    QVERIFY(!status);
    QCOMPARE(status.error().message, std::string("enough"));
    QCOMPARE(calls, 3);
  }

  void stops_when_asked() {
    TinyLlama tiny;
    const auto model = tiny.draw().open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    ThreadPool pool(2);
    std::stop_source stop;
    std::uint64_t last = 0;
    const WorkContext work{pool, stop.get_token(), [&](const Progress& progress) {
                             last = progress.done;
                             if (progress.done >= 2) stop.request_stop();
                           }};
    const auto source = run::file_weights(model);
    const auto windows = testing::random_windows(4, 8, tiny.vocabulary);
    const auto status = run::observe_inputs(
        *source, windows, 1, [](const run::LinearInput&) { return Status{}; }, work);
    QVERIFY(!status);
    QCOMPARE(status.error().code, ErrorCode::Cancelled);
    QCOMPARE(last, std::uint64_t{2});
  }

  void unknown_architectures_say_why() {
    TinyLlama tiny;
    const std::string file = path("other.gguf");
    QVERIFY(test::write_bytes(file,
                              tiny.draw().bytes([](auto& keys) { keys[0].second = std::string("mamba9"); })));
    const auto model = model::make_model(*io::open_gguf(file));
    QVERIFY(model);
    const auto source = run::file_weights(*model);
    const auto forward = run::Forward::create(*source, 16, false);
    QVERIFY(!forward);
    QCOMPARE(forward.error().code, ErrorCode::Unsupported);
    QVERIFY(forward.error().message.find("mamba9") != std::string::npos);
  }
};

QTEST_APPLESS_MAIN(ForwardTest)
#include "tst_forward.moc"
