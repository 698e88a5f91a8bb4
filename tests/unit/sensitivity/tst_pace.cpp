// Progress in time: work whose kinds take other times than their costs say, on a clock that only work moves.
#include <QTest>
#include <cmath>
#include <vector>

#include "core/sensitivity/pace.h"

using bitlens::sensitivity::Pace;

namespace {

struct Piece {
  std::size_t kind;
  double cost, seconds;
};

/// How long the whole is thought to take when about `share` of the time has passed, beside what it takes.
struct Thought {
  double by_pace, by_cost;
};
Thought thought_at(double share, std::size_t kinds, const std::vector<Piece>& pieces) {
  double now = 100, cost = 0, all_cost = 0, seconds = 0, passed = 0;
  Pace pace(kinds, [&now] { return now; });
  for (const Piece& piece : pieces) {
    pace.plan(piece.kind, piece.cost);
    all_cost += piece.cost;
    seconds += piece.seconds;
  }
  pace.start();
  for (const Piece& piece : pieces) {
    now += piece.seconds;
    passed += piece.seconds;
    cost += piece.cost;
    pace.done(piece.kind, piece.cost);
    if (passed >= share * seconds) break;
  }
  return {passed / pace.share() / seconds, passed / (cost / all_cost) / seconds};
}

}  // namespace

class PaceTest : public QObject {
  Q_OBJECT

 private slots:
  // A base that runs twice as fast as its cost says, then rounds of two kinds that take three times and half
  // of theirs: after a tenth of the time every kind has run.
  void learns_how_long_a_kind_takes() {
    std::vector<Piece> pieces;
    for (int i = 0; i < 10; ++i) pieces.push_back({0, 1, 0.5});
    for (int i = 0; i < 200; ++i) {
      pieces.push_back({1, 1, 3});
      pieces.push_back({2, 2, 1});
    }
    const Thought thought = thought_at(0.1, 3, pieces);
    QVERIFY2(std::abs(thought.by_pace - 1) < 0.05, qPrintable(QString::number(thought.by_pace)));
    // Arithmetic alone is misled by the base.
    const Thought early = thought_at(0.02, 3, pieces);
    QVERIFY2(early.by_cost < 0.75, qPrintable(QString::number(early.by_cost)));
    QVERIFY2(std::abs(early.by_pace - 1) < 0.2, qPrintable(QString::number(early.by_pace)));
  }

  // The same kinds in other proportions: a short round first, a long one later.
  void rounds_of_other_proportions() {
    std::vector<Piece> pieces;
    for (int i = 0; i < 30; ++i) {  // per round as much as per draw
      pieces.push_back({0, 1, 4});
      pieces.push_back({1, 1, 1});
    }
    for (int i = 0; i < 30; ++i) {
      pieces.push_back({0, 1, 4});
      pieces.push_back({1, 10, 10});
    }
    const Thought thought = thought_at(0.1, 2, pieces);
    QVERIFY2(thought.by_cost > 1.3, qPrintable(QString::number(thought.by_cost)));
    QVERIFY2(std::abs(thought.by_pace - 1) < 0.15, qPrintable(QString::number(thought.by_pace)));
  }

  // Cells that end early: it is expected of later ones too.
  void work_that_is_not_needed_takes_no_time() {
    double now = 0;
    Pace pace(1, [&now] { return now; });
    pace.plan(0, 100 * 8);
    pace.start();
    for (int cell = 0; cell < 100; ++cell) {
      for (int window = 0; window < 2; ++window) {
        now += 1;
        pace.done(0, 1);
      }
      pace.spare(0, 6);
      const double whole = now / pace.share();
      if (cell >= 10) QVERIFY2(std::abs(whole / 200 - 1) < 0.05, qPrintable(QString::number(whole)));
    }
    QVERIFY(std::abs(pace.share() - 1) < 1e-9);
  }

  void never_falls_and_begins_with_what_is_known() {
    double now = 0;
    Pace pace(2, [&now] { return now; });
    pace.know(50);
    pace.plan(0, 25);
    pace.plan(1, 25);
    pace.start();
    QCOMPARE(pace.share(), 0.5);
    double before = pace.share();
    for (int i = 0; i < 50; ++i) {
      now += i < 25 ? 1 : 100;  // the second kind is far slower than thought
      pace.done(i < 25 ? 0 : 1, 1);
      QVERIFY(pace.share() >= before && pace.share() <= 1);
      before = pace.share();
    }
    QCOMPARE(pace.share(), 1.0);
  }
};

QTEST_APPLESS_MAIN(PaceTest)
#include "tst_pace.moc"
