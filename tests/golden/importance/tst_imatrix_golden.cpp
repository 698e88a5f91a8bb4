// Importance matrices of real files: ours against the reference tool's for the same model and text, the
// calculation against a plain one, and the same bits at any number of threads.
#include <QtTest>
#include <cmath>

#include "core/importance/imatrix.h"
#include "core/run/forward.h"
#include "core/run/weights.h"
#include "tests/golden/evaluate/golden.h"

using namespace bitlens;

class ImatrixGolden : public QObject {
  Q_OBJECT
  std::optional<testing::Subject> subject_;
  static constexpr std::uint64_t kMemory = 1ULL << 30U;

 private slots:
  void initTestCase() {
    for (const char* name : {"models/stories260K-f32.gguf", "texts/tinystories.txt",
                             "golden/stories260K/imatrix.gguf", "golden/blocks/tiny256.imatrix.gguf"})
      if (!QFile::exists(testing::shared(name)))
        QSKIP(qPrintable(QString("needs the shared test data: %1").arg(QLatin1String(name))));
    evaluate::Options options;
    options.context = 256;
    options.windows = 40;
    auto subject = testing::prepare(testing::shared("models/stories260K-f32.gguf"),
                                    testing::shared("texts/tinystories.txt"), options);
    QVERIFY2(subject, subject ? "" : subject.error().describe().c_str());
    subject_ = std::move(*subject);
  }

  /// The reference keeps keys and values in F16, which moves single columns by up to a thousandth.
  void agrees_with_the_reference() {
    ThreadPool pool(2);
    const auto ours = importance::collect_imatrix(subject_->model, subject_->windows.inputs, false, kMemory,
                                                  WorkContext{pool});
    QVERIFY2(ours, ours ? "" : ours.error().describe().c_str());
    const auto theirs =
        importance::read_imatrix(testing::shared("golden/stories260K/imatrix.gguf").toStdString());
    QVERIFY2(theirs, theirs ? "" : theirs.error().describe().c_str());
    QCOMPARE(ours->entries.size(), theirs->entries.size());
    QCOMPARE(ours->chunk_count, theirs->chunk_count);
    QCOMPARE(ours->chunk_size, theirs->chunk_size);
    std::map<std::string, const importance::ImatrixEntry*> by_name;
    for (const auto& entry : ours->entries) by_name[entry.tensor] = &entry;
    for (const auto& expected : theirs->entries) {
      const importance::ImatrixEntry& found = *by_name.at(expected.tensor);
      QVERIFY(found.counts.front() == expected.counts.front());
      QCOMPARE(found.columns, expected.columns);
      for (std::size_t j = 0; j < expected.sums.size(); ++j)
        QVERIFY2(std::fabs(found.sums[j] - expected.sums[j]) <= 2e-3F * expected.sums[j],
                 qPrintable(QString("%1 column %2: %3, expected %4")
                                .arg(QString::fromStdString(expected.tensor))
                                .arg(j)
                                .arg(static_cast<double>(found.sums[j]))
                                .arg(static_cast<double>(expected.sums[j]))));
    }
  }

  void is_the_sum_of_squares_of_what_layers_see() {
    ThreadPool pool(1);
    const WorkContext work{pool};
    const auto windows = std::span(std::as_const(subject_->windows.inputs)).first(3);
    std::map<std::string, std::vector<double>> sums;
    const auto source = run::file_weights(subject_->model);
    QVERIFY(run::observe_inputs(
        *source, windows, kMemory,
        [&](const run::LinearInput& input) -> Status {
          for (const std::size_t tensor : input.tensors) {
            auto& sum = sums[subject_->model->file().tensors()[tensor].name];
            sum.resize(input.columns);
            for (std::size_t i = 0; i < input.values.size(); ++i)
              sum[i % input.columns] += std::pow(static_cast<double>(input.values[i]), 2);
          }
          return {};
        },
        work));
    for (const int threads : {1, 2, 5}) {
      ThreadPool many(threads);
      const auto found =
          importance::collect_imatrix(subject_->model, windows, true, kMemory, WorkContext{many});
      QVERIFY(found);
      QCOMPARE(found->entries.size(), sums.size());  // the output matrix included
      for (const auto& entry : found->entries) {
        QCOMPARE(entry.counts.front(), 3.0F * 256.0F);
        for (std::size_t j = 0; j < entry.sums.size(); ++j)
          QCOMPARE(entry.sums[j], static_cast<float>(sums.at(entry.tensor).at(j)));
      }
    }
  }

  void another_models_matrix_is_refused() {
    const auto other =
        importance::read_imatrix(testing::shared("golden/blocks/tiny256.imatrix.gguf").toStdString());
    QVERIFY2(other, other ? "" : other.error().describe().c_str());
    const auto matched = importance::match_imatrix(*other, subject_->model->file());
    QVERIFY(!matched && matched.error().code == ErrorCode::InvalidArgument);
  }
};

QTEST_APPLESS_MAIN(ImatrixGolden)
#include "tst_imatrix_golden.moc"
