// Processes that kill themselves in the middle of a sweep: the next one goes on where the last state was
// saved and finds the same numbers to the last bit.
#include <sys/wait.h>
#include <unistd.h>

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>

#include "core/sensitivity/response.h"
#include "tests/support/measured_cells.h"
#include "tests/unit/sensitivity/small_setting.h"

using namespace bitlens;
using sensitivity::Cell;
using sensitivity::MeasuredCell;
using sensitivity::ResponseMatrix;
using sensitivity::StateFile;

class KillTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  std::shared_ptr<const model::Model> model_;
  std::vector<Cell> cells_;
  evaluate::Windows windows_;

  std::string state() { return folder_.filePath("state").toStdString(); }
  bool state_exists() {
    return QFile::exists(QString::fromStdString(StateFile::file_of(state(), 0))) ||
           QFile::exists(QString::fromStdString(StateFile::file_of(state(), 1)));
  }
  sensitivity::KeepState keep(const char* key = "key") { return {state(), key, 0.0, {}}; }

  /// Reports of progress in `stage` are counted; the process is killed at report `last` (0: never). The first
  /// are of the base's forward pass.
  struct Reports {
    const char* stage;
    int last = 0, count = 0;
    void operator()(const Progress& progress) {
      if (progress.stage == stage && ++count == last) ::raise(SIGKILL);
    }
  };
  /// Runs `body` in a process of its own. Was it killed?
  template <typename Body>
  static bool killed(const Body& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::_exit(0);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

  std::optional<ResponseMatrix> respond(const sensitivity::ResponseOptions& options, Reports& reports,
                                        const std::vector<Cell>& cells,
                                        const sensitivity::KnownResponses& known = {}) {
    ThreadPool pool(2);
    const WorkContext work{pool, {}, std::ref(reports)};
    auto matrix = sensitivity::response_vectors(model_, cells, windows_, options, {}, work, known);
    if (!matrix) qWarning("%s", matrix.error().describe().c_str());
    return matrix ? std::optional(std::move(*matrix)) : std::nullopt;
  }
  std::vector<MeasuredCell> measure(const sensitivity::MeasureOptions& options,
                                    const evaluate::Windows& windows, const std::vector<Cell>& cells,
                                    Reports& reports) {
    ThreadPool pool(2);
    const WorkContext work{pool, {}, std::ref(reports)};
    return test::measure_cells(model_, windows, cells, options, work).value_or(std::vector<MeasuredCell>{});
  }
  /// Everything but the time it took.
  static bool same(const MeasuredCell& a, const MeasuredCell& b) {
    return a.kl_mean == b.kl_mean && a.kl_se == b.kl_se && a.kl_median == b.kl_median &&
           a.kl_p99 == b.kl_p99 && a.dnll_mean == b.dnll_mean && a.top1_agreement == b.top1_agreement &&
           a.window_kl == b.window_kl;
  }
  /// Of `cells`, in `whole`, which may have more.
  static bool same(const ResponseMatrix& whole, const ResponseMatrix& some) {
    for (std::size_t c = 0; c < some.cells().size(); ++c) {
      const auto at = std::ranges::find(whole.cells(), some.cells()[c]) - whole.cells().begin();
      const auto of_whole = static_cast<std::size_t>(at);
      const double fisher = whole.diagonal_fisher(of_whole), its = some.diagonal_fisher(c);
      if (!std::ranges::equal(whole.row(of_whole), some.row(c)) || some.row(c).empty() ||
          !std::ranges::equal(whole.text_row(of_whole), some.text_row(c)) ||
          (fisher != its && !(std::isnan(fisher) && std::isnan(its))))
        return false;
    }
    return true;
  }

 private slots:
  void initTestCase() {
    model_ = test::draw_and_open(test::small_llama(), folder_.filePath("m.gguf").toStdString());
    QVERIFY(model_);
    const auto plan = sensitivity::plan_cells(*model_, "*", {kernels::Format::Q4_0, kernels::Format::Q8_0},
                                              kernels::Quantizer::Rtn);
    QVERIFY(plan);
    cells_ = plan->cells;
    // A cell over several blocks, whose response is complete only at the end.
    cells_.push_back({"two",
                      kernels::Format::Q4_0,
                      kernels::Quantizer::Rtn,
                      {cells_.front().tensors.front(), cells_.back().tensors.front()}});
    windows_ = test::small_windows(40, 6);
  }

  void responses_go_on_where_they_were_data() {
    QTest::addColumn<bool>("fisher");
    QTest::newRow("response") << false;
    QTest::newRow("with the diagonal of the Fisher matrix") << true;
  }
  void responses_go_on_where_they_were() {
    QFETCH(bool, fisher);
    sensitivity::ResponseOptions options;
    options.samples = 24;
    options.one_round = true;
    options.diagonal_fisher = fisher;
    options.memory_budget = std::uint64_t{3} << 20;  // several chunks
    Reports all{"response"};
    const auto whole = respond(options, all, cells_);
    QVERIFY(whole);
    constexpr int base = 4;  // what is known, and three blocks
    const int work = all.count - base;
    QVERIFY2(work >= 8, qPrintable(QString::number(work)));
    options.keep = keep();
    for (int last = base + 2; last <= all.count; last += 2) {
      Reports reports{"response", last};
      QVERIFY(killed([&] { (void)respond(options, reports, cells_); }));
      // The first block is saved when all its chunks have crossed it, where squares are summed over them.
      QVERIFY(state_exists() || (fisher && last - base <= work / 2 + 1));
      Reports rest{"response"};
      const auto resumed = respond(options, rest, cells_);
      QVERIFY(resumed && same(*whole, *resumed));
      // Reports come after every chunk and block: at most a chunk (with the diagonal: a block) is done again.
      const int again = rest.count - base - (all.count - last), most = fisher ? work / 3 + 2 : 3;
      QVERIFY2(again <= most, qPrintable(QString("%1 reports again after %2").arg(again).arg(last)));
      QVERIFY(!state_exists());
    }
  }

  // The second round has the text's own labels too. Killed in it, with a journal that knows the first.
  void a_second_round_goes_on_where_it_was() {
    sensitivity::ResponseOptions options;
    options.samples = 240;
    Reports from_the_start{"response"}, all{"response"};
    const auto whole = respond(options, from_the_start, cells_);
    QVERIFY(whole);
    sensitivity::KnownResponses known;
    known.draws = 7;
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      const auto row = whole->row(c).first(known.draws * 6);
      QVERIFY(!whole->text_row(c).empty());
      known.rows.emplace_back(row.begin(), row.end());
      known.text.emplace_back();
    }
    const auto second = respond(options, all, cells_, known);
    QVERIFY(second && same(*whole, *second) && all.count < from_the_start.count);
    options.keep = keep();
    constexpr int base = 4;  // what is known, and three blocks
    for (int last = base + 2; last < all.count; ++last) {
      Reports reports{"response", last}, rest{"response"};
      QVERIFY(killed([&] { (void)respond(options, reports, cells_, known); }));
      QVERIFY(state_exists());
      const auto resumed = respond(options, rest, cells_, known);
      QVERIFY(resumed && same(*whole, *resumed));
      QVERIFY2(rest.count < all.count, qPrintable(QString("%1 reports after %2").arg(rest.count).arg(last)));
      QVERIFY(!state_exists());
    }
    // A state without them is of no use where no round is left to bring them.
    sensitivity::ResponseOptions few = options;
    few.samples = 42;
    few.keep = {};
    Reports plain{"response"}, reports{"response", base + 3}, rest{"response"};
    const auto first = respond(few, plain, cells_);
    QVERIFY(first && !first->text_row(0).empty());
    QVERIFY(killed([&] { (void)respond(options, reports, cells_); }));
    QVERIFY(state_exists());
    few.keep = keep();
    const auto resumed = respond(few, rest, cells_);
    QVERIFY(resumed && same(*first, *resumed));
    QCOMPARE(rest.count, plain.count);
  }

  void a_state_is_used_only_where_it_fits() {
    sensitivity::ResponseOptions options;
    options.samples = 24;
    options.one_round = true;
    options.memory_budget = std::uint64_t{3} << 20;
    Reports all{"response"};
    const auto whole = respond(options, all, cells_);
    QVERIFY(whole);
    options.keep = keep();
    const int last = all.count - 2;
    const auto rest_of = [&](const sensitivity::ResponseOptions& then, const std::vector<Cell>& cells) {
      Reports reports{"response", last}, rest{"response"};
      if (!killed([&] { (void)respond(options, reports, cells_); })) return -1;
      const auto resumed = respond(then, rest, cells);
      return resumed && same(*whole, *resumed) ? rest.count : -1;
    };
    // Fewer cells: those finished are not asked for again. Other cells, or another key: from the beginning.
    QVERIFY(rest_of(options, {cells_.end() - 3, cells_.end()}) <= 8);
    sensitivity::ResponseOptions other = options;
    other.keep = keep("another");
    QCOMPARE(rest_of(other, cells_), all.count);
    // Damage of either kind; both files are looked at.
    for (const bool head : {true, false}) {
      Reports reports{"response", last}, rest{"response"};
      QVERIFY(killed([&] { (void)respond(options, reports, cells_); }));
      for (const int which : {0, 1}) {
        std::string bytes = test::read_bytes(StateFile::file_of(state(), which));
        QVERIFY(bytes.size() > 1000);
        const std::size_t at = head ? 40 : bytes.size() - 40;
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
        QVERIFY(test::write_bytes(StateFile::file_of(state(), which), bytes));
      }
      const auto resumed = respond(options, rest, cells_);
      QVERIFY(resumed && same(*whole, *resumed));
      QCOMPARE(rest.count, all.count);
    }
    // A file that is something else is left alone, and the work is done without keeping a state.
    QVERIFY(test::write_bytes(StateFile::file_of(state(), 1), "precious"));
    QByteArray told;
    options.keep.failed = [&](const Error& error) { told = error.describe().c_str(); };
    Reports rest{"response"};
    const auto alone = respond(options, rest, cells_);
    QVERIFY(alone && same(*whole, *alone));
    QVERIFY(told.contains("is no state"));
    QCOMPARE(test::read_bytes(StateFile::file_of(state(), 1)), std::string("precious"));
    QVERIFY(QFile::remove(QString::fromStdString(StateFile::file_of(state(), 1))));
  }

  void long_cells_go_on_where_they_were() {
    sensitivity::MeasureOptions options;
    const auto windows = test::small_windows(40, 500);  // three batches
    const std::vector<Cell> cells = {cells_[0], cells_[5], cells_[9]};
    Reports all{"measure"};
    const auto whole = measure(options, windows, cells, all);
    QCOMPARE(whole.size(), cells.size());
    options.batch_seconds = 1e-9;  // a batch at a time
    options.keep = keep();
    Reports steps{"measure"};
    const auto stepped = measure(options, windows, cells, steps);
    QCOMPARE(stepped.size(), cells.size());
    for (const int last : {steps.count / 2, steps.count - 1}) {
      Reports reports{"measure", last};
      QVERIFY(killed([&] { (void)measure(options, windows, cells, reports); }));
      QVERIFY(state_exists());
      // The last cell is begun: with those that the journal knows left out, two of its three steps are known.
      Reports rest{"measure"};
      const std::vector<Cell> left(cells.begin() + (last == steps.count - 1 ? 2 : 1), cells.end());
      const auto resumed = measure(options, windows, left, rest);
      QCOMPARE(resumed.size(), left.size());
      for (std::size_t c = 0; c < cells.size(); ++c) QVERIFY(same(stepped[c], whole[c]));
      for (std::size_t c = 0; c < left.size(); ++c)
        QVERIFY(same(resumed[c], whole[c + cells.size() - left.size()]));
      constexpr int base = 3 * (3 + 1);  // three batches through three blocks and the head
      const int again = rest.count - base - (steps.count - last);
      QVERIFY2(again <= (steps.count - base) / 9 + 2, qPrintable(QString::number(again)));
      QVERIFY(!state_exists());
    }
  }
};

QTEST_APPLESS_MAIN(KillTest)
#include "tst_kill.moc"
