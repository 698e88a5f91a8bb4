// Statistics of layer inputs on a real model: which tensors have them, how many tokens they saw, and the
// first layer's input against one computed here from embedding and norm.
#include <QtTest>
#include <cmath>

#include "core/analyze/statistics.h"

using namespace bitlens;

class TestActivationStatistics : public QObject {
  Q_OBJECT
  ThreadPool pool_{2};
  std::shared_ptr<const model::Model> model_;
  std::vector<std::vector<std::int32_t>> windows_;

  [[nodiscard]] std::size_t tensor(const char* name) const {
    return model_->file().find_tensor(name).value();
  }
  [[nodiscard]] std::vector<float> values(const char* name) const {
    const auto& info = model_->file().tensors()[tensor(name)];
    std::vector<float> out(info.elements());
    const auto status = io::decode_rows(model_->file(), tensor(name), 0, info.rows(), out.data());
    return status ? out : std::vector<float>();
  }

 private slots:
  void initTestCase() {
    const QString path = BITLENS_SHARED "/models/stories260K-f32.gguf";
    if (!QFile::exists(path)) QSKIP("needs the shared test data: models/stories260K-f32.gguf");
    const auto file = io::open_gguf(path.toStdString());
    QVERIFY(file.has_value());
    auto model = model::make_model(*file);
    QVERIFY(model.has_value());
    model_ = *model;
    for (std::size_t w = 0; w < 5; ++w) {
      std::vector<std::int32_t> window{1};
      while (window.size() < 64)
        window.push_back(static_cast<std::int32_t>((window.size() * 37 + w * 101) % 512));
      windows_.push_back(window);
    }
  }

  void every_linear_layer_has_them() {
    const auto found = analyze::activation_statistics(model_, windows_, WorkContext{pool_});
    QVERIFY2(found.has_value(), found ? "" : found.error().describe().c_str());
    QCOMPARE(found->size(), model_->file().tensors().size());
    for (std::size_t t = 0; t < found->size(); ++t) {
      const auto& info = model_->file().tensors()[t];
      const auto module = model_->role(t).module;
      const bool linear =
          info.rows() > 1 && (module != model::Module::TokenEmbedding || model_->llama()->tied_output);
      QVERIFY2((*found)[t].has_value() == linear, info.name.c_str());
      if (!linear) continue;
      QCOMPARE((*found)[t]->tokens, std::uint64_t{5 * 64});
      QCOMPARE((*found)[t]->energy.size(), info.row_length());
      QVERIFY((*found)[t]->all.sigma > 0);
    }
    const auto& q = (*found)[tensor("blk.2.attn_q.weight")];
    const auto& v = (*found)[tensor("blk.2.attn_v.weight")];
    const auto& o = (*found)[tensor("blk.2.attn_output.weight")];
    QCOMPARE(q->energy, v->energy);
    QVERIFY(q->energy != o->energy);
  }

  void the_first_input_is_the_normed_embedding() {
    const auto found = analyze::activation_statistics(model_, windows_, WorkContext{pool_});
    QVERIFY(found.has_value());
    const auto embedding = values("token_embd.weight");
    const auto norm = values("blk.0.attn_norm.weight");
    const std::size_t width = norm.size();
    std::vector<double> energy(width), peak(width);
    std::size_t tokens = 0;
    for (const auto& window : windows_)
      for (const std::int32_t token : window) {
        const float* row = embedding.data() + static_cast<std::size_t>(token) * width;
        double square = 0;
        for (std::size_t j = 0; j < width; ++j)
          square += static_cast<double>(row[j]) * static_cast<double>(row[j]);
        const double scale = 1.0 / std::sqrt(square / static_cast<double>(width) +
                                             static_cast<double>(model_->llama()->rms_epsilon));
        for (std::size_t j = 0; j < width; ++j) {
          const double x = static_cast<double>(row[j]) * scale * static_cast<double>(norm[j]);
          energy[j] += x * x;
          peak[j] = std::max(peak[j], std::fabs(x));
        }
        ++tokens;
      }
    const auto& input = *(*found)[tensor("blk.0.attn_q.weight")];
    std::size_t outliers = 0;
    for (std::size_t j = 0; j < width; ++j) {
      const double expected = energy[j] / static_cast<double>(tokens);
      QVERIFY(std::fabs(input.energy[j] - expected) <= 1e-5 * expected);
      QVERIFY(std::fabs(static_cast<double>(input.channels.input_abs_max[j]) - peak[j]) <= 1e-5 * peak[j]);
      outliers += peak[j] >= 6.0 ? 1U : 0U;
    }
    QCOMPARE(input.outliers_llm_int8, static_cast<double>(outliers) / static_cast<double>(width));
  }

  void same_bits_at_any_thread_count() {
    ThreadPool one(1), four(4);
    const auto a = analyze::activation_statistics(model_, windows_, WorkContext{one});
    const auto b = analyze::activation_statistics(model_, windows_, WorkContext{four});
    QVERIFY(a.has_value() && b.has_value());
    for (std::size_t t = 0; t < a->size(); ++t) {
      QCOMPARE((*a)[t].has_value(), (*b)[t].has_value());
      if (!(*a)[t]) continue;
      QCOMPARE((*a)[t]->energy, (*b)[t]->energy);
      QCOMPARE((*a)[t]->all.excess_kurtosis, (*b)[t]->all.excess_kurtosis);
      QCOMPARE((*a)[t]->histogram.counts, (*b)[t]->histogram.counts);
    }
  }

  void can_be_cancelled() {
    std::stop_source stop;
    stop.request_stop();
    const auto result =
        analyze::activation_statistics(model_, windows_, WorkContext{pool_, stop.get_token(), {}});
    QVERIFY(!result.has_value());
    QVERIFY(result.error().code == ErrorCode::Cancelled);
  }
};

QTEST_APPLESS_MAIN(TestActivationStatistics)
#include "tst_activation_statistics.moc"
