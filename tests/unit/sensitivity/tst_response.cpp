// Responses by the backward pass against finite differences of a model in double; their determinism; what a
// matrix of them predicts.
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <map>
#include <set>

#include "core/sensitivity/changes.h"
#include "core/sensitivity/costs.h"
#include "core/sensitivity/labels.h"
#include "core/sensitivity/measured.h"
#include "core/sensitivity/response.h"
#include "tests/unit/sensitivity/double_llama.h"
#include "tests/unit/sensitivity/small_setting.h"

using namespace bitlens;
using sensitivity::Cell;
using sensitivity::ResponseMatrix;

class ResponseTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  ThreadPool pool_{2};
  WorkContext work_{pool_};

  std::shared_ptr<const model::Model> model(const testing::TinyLlama& shape = test::small_llama()) {
    return test::draw_and_open(shape, folder_.filePath("m.gguf").toStdString());
  }
  static std::vector<Cell> cells(const model::Model& model,
                                 std::vector<kernels::Format> formats = {kernels::Format::Q4_0}) {
    const auto plan = sensitivity::plan_cells(model, "*", formats, kernels::Quantizer::Rtn);
    return plan ? plan->cells : std::vector<Cell>{};
  }

 private slots:
  void equals_finite_differences_data() {
    QTest::addColumn<bool>("tied");
    QTest::addColumn<bool>("bias");
    QTest::addColumn<int>("sliding");
    QTest::addColumn<int>("rotated");
    QTest::newRow("plain") << false << false << 0 << 16;
    QTest::newRow("tied output, biases") << true << true << 0 << 16;
    QTest::newRow("sliding window, partly rotated") << false << true << 9 << 8;
  }
  void equals_finite_differences() {
    QFETCH(bool, tied);
    QFETCH(bool, bias);
    QFETCH(int, sliding);
    QFETCH(int, rotated);
    testing::TinyLlama shape = test::small_llama();
    shape.layers = 2;
    shape.tied = tied;
    shape.biases = bias;
    shape.sliding_window = static_cast<std::uint32_t>(sliding);
    shape.rope_dimensions = static_cast<std::uint32_t>(rotated);
    const auto m = model(shape);
    QVERIFY(m);
    const auto windows = test::small_windows(56, 2);
    sensitivity::ResponseOptions options;
    options.samples = 6;
    options.seed = 5;
    // Products with changes and backwards are made in 8 bits, for which the tolerance is wider, unless asked
    // otherwise.
    const auto fast = sensitivity::response_vectors(m, cells(*m), windows, options, {}, work_);
    QVERIFY(fast);
    options.changes = options.backward = evaluate::Compute::Exact;
    const auto matrix = sensitivity::response_vectors(m, cells(*m), windows, options, {}, work_);
    QVERIFY2(matrix, matrix ? "" : matrix.error().describe().c_str());
    QCOMPARE(matrix->windows(), std::size_t{2});
    QCOMPARE(matrix->draws(), std::size_t{3});

    test::DoubleLlama reference(m, work_);
    QVERIFY(reference.ok());
    // The labels that were drawn, from the reference's own predictions; the last draw is the text itself.
    std::vector<std::vector<std::vector<std::int32_t>>> labels(2);
    for (std::size_t w = 0; w < 2; ++w) {
      const auto logs = reference.run(windows.inputs[w]);
      labels[w].resize(4);
      for (std::size_t position = windows.first_scored; position <= windows.last_scored; ++position) {
        std::vector<float> p;
        for (const double log : logs[position]) p.push_back(static_cast<float>(std::exp(log)));
        std::vector<std::int32_t> drawn(3);
        sensitivity::draw_labels(p, options.seed, w, position, 0, drawn);
        for (std::size_t d = 0; d < 3; ++d) labels[w][d].push_back(drawn[d]);
        labels[w][3].push_back(windows.targets[w][position]);
      }
    }
    const auto sums = [&](std::size_t w) {
      const auto logs = reference.run(windows.inputs[w]);
      std::vector<double> out(4, 0.0);
      for (std::size_t i = 0; i < labels[w][0].size(); ++i)
        for (std::size_t d = 0; d < 4; ++d)
          out[d] += logs[windows.first_scored + i][static_cast<std::size_t>(labels[w][d][i])];
      return out;
    };
    constexpr double step = 1e-4;
    for (std::size_t c = 0; c < matrix->cells().size(); ++c) {
      const Cell& cell = matrix->cells()[c];
      const std::size_t tensor = cell.tensors.front();
      const auto reader = sensitivity::ChangeReader::create(m, {tensor, cell.format, cell.quantizer, {}});
      QVERIFY(reader);
      const io::TensorInfo& info = m->file().tensors()[tensor];
      std::vector<float> change(info.elements());
      QVERIFY(reader->rows(0, info.rows(), change.data()));
      const std::vector<double> plain = reference.weights(tensor);
      double scale = 0;
      std::map<std::pair<std::size_t, std::size_t>, double> slopes;
      for (std::size_t w = 0; w < 2; ++w) {
        const auto shifted = [&](double by) {
          for (std::size_t i = 0; i < change.size(); ++i)
            reference.weights(tensor)[i] = plain[i] + by * static_cast<double>(change[i]);
          return sums(w);
        };
        const auto above = shifted(step), below = shifted(-step);
        for (std::size_t d = 0; d < 4; ++d) {
          slopes[{w, d}] = (above[d] - below[d]) / (2 * step);
          scale = std::max(scale, std::abs(slopes[{w, d}]));
        }
      }
      reference.weights(tensor) = plain;
      QVERIFY(scale > 0);
      for (std::size_t w = 0; w < 2; ++w)
        for (std::size_t d = 0; d < 4; ++d) {
          const auto value = static_cast<double>(d < 3 ? matrix->row(c)[d * 2 + w] : matrix->text_row(c)[w]);
          const auto roughly = static_cast<double>(d < 3 ? fast->row(c)[d * 2 + w] : fast->text_row(c)[w]);
          QVERIFY2(std::abs(roughly - value) <= 0.05 * scale, cell.name.c_str());
          QVERIFY2(std::abs(value - slopes[{w, d}]) <= 1e-4 * scale,
                   qPrintable(QStringLiteral("%1 window %2 draw %3: %4, finite difference %5")
                                  .arg(QString::fromStdString(cell.name))
                                  .arg(w)
                                  .arg(d)
                                  .arg(value)
                                  .arg(slopes[{w, d}])));
        }
    }
  }

  void labels_follow_the_prediction() {
    const std::vector<float> p = {0.1F, 0.0F, 0.6F, 0.3F, 0.0F};
    std::vector<std::int32_t> labels(20000);
    sensitivity::draw_labels(p, 3, 1, 2, 0, labels);
    std::vector<int> counts(5);
    for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
    QCOMPARE(counts[1] + counts[4], 0);
    QVERIFY(std::abs(counts[0] - 2000) < 200);  // 4.7 standard deviations
    QVERIFY(std::abs(counts[2] - 12000) < 330);
    // A later part of the same stream is the same stream.
    std::vector<std::int32_t> part(100);
    sensitivity::draw_labels(p, 3, 1, 2, 500, part);
    QVERIFY(std::equal(part.begin(), part.end(), labels.begin() + 500));
    std::set<double> numbers;
    for (std::uint64_t i = 0; i < 1000; ++i) numbers.insert(sensitivity::uniform(1, i, 0, 0));
    for (std::uint64_t i = 1; i < 1000; ++i) numbers.insert(sensitivity::uniform(1, 0, i, 0));
    QCOMPARE(numbers.size(), std::size_t{1999});
  }

  void same_bits_at_any_thread_count_and_memory() {
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(56, 5);
    const auto list = cells(*m, {kernels::Format::Q4_0, kernels::Format::Q8_0});
    sensitivity::ResponseOptions options;
    options.samples = 20;
    const auto reference = sensitivity::response_vectors(m, list, windows, options, {}, work_);
    QVERIFY(reference);
    ThreadPool one(1), three(3);
    options.memory_budget = 300 * 1024;
    options.spill_folder = folder_.path().toStdString();
    for (ThreadPool* pool : {&one, &three}) {
      const auto other = sensitivity::response_vectors(m, list, windows, options, {}, WorkContext{*pool});
      QVERIFY2(other, other ? "" : other.error().describe().c_str());
      for (std::size_t c = 0; c < list.size(); ++c)
        QVERIFY(std::ranges::equal(reference->row(c), other->row(c)));
    }
  }

  // Groups are the sums of their tensors; the joint prediction of a set is that of the group.
  void responses_add() {
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(40, 4);
    auto list = cells(*m);
    const std::size_t singles = list.size();
    Cell all{"*", kernels::Format::Q4_0, kernels::Quantizer::Rtn, {}};
    for (const Cell& cell : list) all.tensors.push_back(cell.tensors.front());
    list.push_back(all);
    sensitivity::ResponseOptions options;
    options.samples = 24;
    const auto matrix = sensitivity::response_vectors(m, list, windows, options, {}, work_);
    QVERIFY(matrix);
    sensitivity::JointPrediction joint(*matrix);
    std::vector<std::size_t> members;
    double sum = 0;
    for (std::size_t c = 0; c < singles; ++c) {
      joint.add(c);
      members.push_back(c);
      sum += matrix->predict(c).kl_mean;
    }
    const double group = matrix->predict(singles).kl_mean;
    QVERIFY(group > 0);
    QVERIFY(std::abs(joint.predict().kl_mean / group - 1) < 1e-4);
    QVERIFY(std::abs(matrix->predict(members).kl_mean / group - 1) < 1e-4);
    QVERIFY(std::abs(joint.sum_of_single_kl() / sum - 1) < 1e-9);
    joint.remove(0);
    members.erase(members.begin());
    QVERIFY(std::abs(joint.predict().kl_mean / matrix->predict(members).kl_mean - 1) < 1e-9);
  }

  // Where changes are small the prediction is right within its own error bar.
  void agrees_with_measured_cells() {
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(64, 10);
    const auto list = cells(*m, {kernels::Format::Q8_0});
    sensitivity::ResponseOptions options;
    options.samples = 400;
    const auto matrix = sensitivity::response_vectors(m, list, windows, options, {}, work_);
    QVERIFY(matrix);
    auto measurer = sensitivity::CellMeasurer::create(m, windows, {});
    QVERIFY(measurer);
    double worst = 0, slope_worst = 0;
    const auto status = (*measurer)->measure(
        list,
        [&](std::size_t c, const sensitivity::MeasuredCell& cell) -> Status {
          const auto predicted = matrix->predict(c);
          worst = std::max(worst, std::abs(predicted.kl_mean - cell.kl_mean) / predicted.kl_se);
          slope_worst = std::max(slope_worst, std::abs(predicted.dnll_mean - cell.dnll_mean) / cell.dnll_se);
          return {};
        },
        work_);
    QVERIFY(status);
    QVERIFY2(worst < 4, qPrintable(QString::number(worst)));
    QVERIFY2(slope_worst < 0.2, qPrintable(QString::number(slope_worst)));
  }

  void reports_layer_by_layer_and_stops() {
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(40, 2);
    const auto list = cells(*m);
    sensitivity::ResponseOptions options;
    options.samples = 128;
    std::size_t calls = 0, first = 0;
    std::vector<std::size_t> seen(list.size());
    const auto matrix = sensitivity::response_vectors(
        m, list, windows, options,
        [&](std::span<const std::size_t> updated, const ResponseMatrix& now) -> Status {
          ++calls;
          for (const std::size_t c : updated) {
            if (now.known(c) <= seen[c]) return fail(ErrorCode::InvalidArgument, "nothing new");
            // The first round is for the map alone; the text's labels follow.
            if (first == 0) first = now.known(c);
            if (now.text_row(c).empty() != (now.known(c) == first))
              return fail(ErrorCode::InvalidArgument, "the text's labels come with the second round");
            seen[c] = now.known(c);
          }
          return {};
        },
        work_);
    QVERIFY2(matrix, matrix ? "" : matrix.error().describe().c_str());
    QVERIFY(calls > 5);
    for (const std::size_t known : seen) QCOMPARE(known, std::size_t{128});
    std::stop_source stop;
    const auto stopped = sensitivity::response_vectors(
        m, list, windows, options,
        [&](std::span<const std::size_t>, const ResponseMatrix&) -> Status {
          stop.request_stop();
          return {};
        },
        WorkContext{pool_, stop.get_token()});
    QVERIFY(!stopped);
    QVERIFY(stopped.error().code == ErrorCode::Cancelled);
  }

  // All that is told as coming is told as done, in a run gone on with too: what is known comes first.
  void progress_ends_with_the_last_round() {
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(40, 4);
    double share = 0, first = 0;
    std::uint64_t reports = 0;
    const WorkContext work{pool_, {}, [&](const Progress& progress) {
                             QCOMPARE(progress.stage, std::string("response"));
                             const double now =
                                 static_cast<double>(progress.done) / static_cast<double>(progress.total);
                             QVERIFY(now >= share);
                             share = now;
                             if (++reports == 1) first = now;
                           }};
    sensitivity::ResponseOptions options;
    options.samples = 4 * 100;
    const auto all = cells(*m);
    double before = 0;  // when cells had all samples but those of the last round
    sensitivity::KnownResponses known;
    const auto matrix = sensitivity::response_vectors(
        m, all, windows, options,
        [&](std::span<const std::size_t> updated, const ResponseMatrix& so_far) -> Status {
          if (so_far.known(updated.front()) < so_far.capacity()) before = share;
          return {};
        },
        work);
    QVERIFY(matrix);
    QCOMPARE(first, 0.0);
    QVERIFY2(before > 0 && before < 0.9, qPrintable(QString::number(before)));
    QVERIFY2(std::abs(share - 1) < 1e-5, qPrintable(QString::number(share)));
    known.draws = 50;
    for (std::size_t c = 0; c < all.size(); ++c) {
      known.rows.emplace_back(matrix->row(c).begin(), matrix->row(c).end());
      known.text.emplace_back(matrix->text_row(c).begin(), matrix->text_row(c).end());
    }
    share = 0;
    reports = 0;
    QVERIFY(sensitivity::response_vectors(m, all, windows, options, {}, work, known));
    QVERIFY2(first > 0.3 && first < 0.6, qPrintable(QString::number(first)));
    QVERIFY2(std::abs(share - 1) < 1e-5, qPrintable(QString::number(share)));
  }
};

QTEST_APPLESS_MAIN(ResponseTest)
#include "tst_response.moc"
