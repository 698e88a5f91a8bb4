// Cloze tasks: candidates' log-probabilities against the plain forward pass in double, whatever the items'
// lengths and however they are batched; what is malformed is refused by name.
#include <QTemporaryDir>
#include <QtTest>
#include <random>

#include "core/evaluate/tasks.h"
#include "kernels/dense/instruction_set.h"
#include "tests/unit/run/tiny_llama.h"

using namespace bitlens;
using evaluate::Activations;
using evaluate::Compute;
using evaluate::TaskItem;
using testing::TinyLlama;

namespace {

/// One token a letter ('a' is 2), but "xy" is one token of its own; BOS is 1.
class LetterTokenizer final : public tokenizer::Tokenizer {
 public:
  explicit LetterTokenizer(bool adds_bos = true) : adds_bos_(adds_bos) {}
  [[nodiscard]] Result<std::vector<tokenizer::TokenId>> encode(std::string_view text) const override {
    std::vector<tokenizer::TokenId> out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.substr(i, 2) == "xy") {
        out.push_back(28);
        ++i;
      } else {
        out.push_back(text[i] - 'a' + 2);
      }
    }
    return out;
  }
  [[nodiscard]] std::string decode(tokenizer::TokenId /*id*/) const override { return {}; }
  [[nodiscard]] std::string_view spelling(tokenizer::TokenId /*id*/) const override { return {}; }
  [[nodiscard]] std::size_t size() const override { return 29; }
  [[nodiscard]] std::optional<tokenizer::TokenId> bos() const override { return 1; }
  [[nodiscard]] bool adds_bos() const override { return adds_bos_; }
  [[nodiscard]] const std::string& description() const override { return description_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const override { return warnings_; }

 private:
  bool adds_bos_;
  std::string description_ = "letters";
  std::vector<std::string> warnings_;
};

std::string letters(std::mt19937& random, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += static_cast<char>('a' + random() % 23);  // never x, y, z
  return out;
}

/// Sum of ln p of tokens [first, end) in double.
double log_probability(TinyLlama& model, const std::vector<std::int32_t>& tokens, std::size_t first) {
  const auto logits = model.logits(tokens);
  double sum = 0;
  for (std::size_t i = first; i < tokens.size(); ++i) {
    const auto& row = logits[i - 1];
    const double largest = *std::max_element(row.begin(), row.end());
    double all = 0;
    for (const double logit : row) all += std::exp(logit - largest);
    sum += row[static_cast<std::size_t>(tokens[i])] - largest - std::log(all);
  }
  return sum;
}

}  // namespace

class TasksTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  std::string path(const char* name) { return folder_.filePath(QLatin1String(name)).toStdString(); }
  ThreadPool pool_{2};

 private slots:
  void matches_double_at_any_length_and_budget() {
    TinyLlama tiny;
    tiny = tiny.draw(3);
    QVERIFY(tiny.vocabulary >= 29);
    const auto model = tiny.open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    const auto view = run::file_weights(model);
    const LetterTokenizer tokenizer;
    std::mt19937 random(5);
    std::vector<TaskItem> items;
    for (std::uint32_t i = 0; i < 12; ++i) {
      TaskItem item{i % 3 == 0 ? "short" : "long", letters(random, 2 + random() % 70), {}, i % 3};
      for (int c = 0; c < 3; ++c) item.candidates.push_back(letters(random, 1 + random() % 5));
      items.push_back(item);
    }
    const double tolerance = kernels::uses_tiles() ? 1e-3 : 1e-4;  // tiles keep 16 bits of every number
    const auto results = evaluate::score_tasks(*view, tokenizer, items, Activations::Exact, Compute::Exact,
                                               1U << 30U, WorkContext{pool_});
    QVERIFY2(results, results ? "" : results.error().describe().c_str());
    std::uint64_t right = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::vector<double> truth;
      for (const std::string& candidate : items[i].candidates) {
        std::vector<std::int32_t> tokens{1};
        for (const char c : items[i].prompt + candidate) tokens.push_back(c - 'a' + 2);
        truth.push_back(log_probability(tiny, tokens, 1 + items[i].prompt.size()));
      }
      const auto best = std::max_element(truth.begin(), truth.end()) - truth.begin();
      QCOMPARE(results->items[i].chosen, static_cast<std::uint32_t>(best));
      double wrong = -1e300;
      for (std::size_t c = 0; c < truth.size(); ++c)
        if (c != items[i].answer) wrong = std::max(wrong, truth[c]);
      QVERIFY(std::fabs(results->items[i].margin - (truth[items[i].answer] - wrong)) < tolerance);
      if (static_cast<std::uint32_t>(best) == items[i].answer) ++right;
    }
    QCOMPARE(results->all.items, std::uint64_t{12});
    QCOMPARE(results->all.right, right);
    QCOMPARE(results->kinds.size(), std::size_t{2});
    QCOMPARE(results->kinds[0].kind, std::string("short"));
    QCOMPARE(results->kinds[0].items, std::uint64_t{4});
    QVERIFY(std::fabs(results->all.chance - 1.0 / 3) < 1e-12);
    const double p = static_cast<double>(right) / 12;
    QCOMPARE(results->all.accuracy(), p);
    QVERIFY(std::fabs(results->all.standard_error() - std::sqrt(p * (1 - p) / 12)) < 1e-15);

    // One sequence at a time, and one thread: the same bits.
    ThreadPool one(1);
    const auto again = evaluate::score_tasks(*view, tokenizer, items, Activations::Exact, Compute::Exact, 1,
                                             WorkContext{one});
    QVERIFY(again);
    for (std::size_t i = 0; i < items.size(); ++i) QCOMPARE(again->items[i].margin, results->items[i].margin);
  }

  void a_token_across_the_boundary_belongs_to_the_candidate() {
    TinyLlama tiny;
    tiny = tiny.draw(4);
    const auto model = tiny.open(path("boundary.gguf"));
    QVERIFY(model != nullptr);
    const auto view = run::file_weights(model);
    // "abx" + "y" is a, b, xy: xy is scored behind a, b. "abx" + "c" is a, b, x, c: only c is.
    const std::vector<TaskItem> items{{"kind", "abx", {"y", "c"}, 0}};
    const auto results = evaluate::score_tasks(*view, LetterTokenizer(), items, Activations::Exact,
                                               Compute::Exact, 1U << 30U, WorkContext{pool_});
    QVERIFY2(results, results ? "" : results.error().describe().c_str());
    const double y = log_probability(tiny, {1, 2, 3, 28}, 3), c = log_probability(tiny, {1, 2, 3, 25, 4}, 4);
    QVERIFY(std::fabs(results->items[0].margin - (y - c)) < 1e-4);
  }

  void malformed_items_are_refused_by_number() {
    TinyLlama tiny;
    tiny = tiny.draw(4);
    const auto model = tiny.open(path("refused.gguf"));
    QVERIFY(model != nullptr);
    const auto view = run::file_weights(model);
    const TaskItem good{"kind", "abc", {"d", "e"}, 1};
    const auto message = [&](std::vector<TaskItem> items, bool bos) {
      const auto results = evaluate::score_tasks(*view, LetterTokenizer(bos), items, Activations::Exact,
                                                 Compute::Exact, 1U << 30U, WorkContext{pool_});
      return results ? std::string("accepted") : results.error().describe();
    };
    QCOMPARE(message({}, true), std::string("no task items to score"));
    QCOMPARE(message({good, {"kind", "abc", {"d"}, 0}}, true),
             std::string("item 1: at least two candidates and an answer among them are needed"));
    QCOMPARE(message({{"kind", "abc", {"d", "e"}, 2}}, true),
             std::string("item 0: at least two candidates and an answer among them are needed"));
    QCOMPARE(message({good, good, {"kind", "abc", {"d", ""}, 0}}, true),
             std::string("item 2: candidate 1 adds no token to the prompt"));
    QCOMPARE(message({{"kind", "", {"d", "e"}, 0}}, false),
             std::string("item 0: nothing stands before the candidate: the prompt is empty"));
    QCOMPARE(message({{"kind", "", {"d", "e"}, 0}}, true), std::string("accepted"));  // BOS stands before it
  }

  void ties_go_to_the_first_and_cancelling_stops() {
    TinyLlama tiny;
    tiny = tiny.draw(6);
    const auto model = tiny.open(path("tie.gguf"));
    QVERIFY(model != nullptr);
    const auto view = run::file_weights(model);
    const std::vector<TaskItem> items{{"kind", "abc", {"d", "d"}, 1}};
    const auto results = evaluate::score_tasks(*view, LetterTokenizer(), items, Activations::Exact,
                                               Compute::Exact, 1U << 30U, WorkContext{pool_});
    QVERIFY(results);
    QCOMPARE(results->items[0].chosen, 0U);
    QCOMPARE(results->items[0].margin, 0.0);
    std::stop_source stop;
    stop.request_stop();
    const auto stopped =
        evaluate::score_tasks(*view, LetterTokenizer(), items, Activations::Exact, Compute::Exact, 1U << 30U,
                              WorkContext{pool_, stop.get_token()});
    QVERIFY(!stopped && stopped.error().code == ErrorCode::Cancelled);
  }
};

QTEST_APPLESS_MAIN(TasksTest)
#include "tst_tasks.moc"
