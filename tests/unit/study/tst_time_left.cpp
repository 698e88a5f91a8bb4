// The estimate of a job's remaining time, with the clock in the test's hand.
#include <QtTest>

#include "core/study/time_left.h"

using bitlens::study::TimeLeft;

class TestTimeLeft : public QObject {
  Q_OBJECT
 private slots:
  void unknown_before_any_report() { QVERIFY(TimeLeft().seconds_left(100) < 0); }

  void unknown_before_two_seconds_and_three_percent() {
    TimeLeft estimate;
    estimate.report({"forward", 0, 1000}, 0);
    estimate.report({"forward", 500, 1000}, 1.9);
    QVERIFY(estimate.seconds_left(1.9) < 0);
    TimeLeft slow;
    slow.report({"forward", 0, 1000}, 0);
    slow.report({"forward", 29, 1000}, 10);
    QVERIFY(slow.seconds_left(10) < 0);
    slow.report({"forward", 30, 1000}, 10);
    QVERIFY(slow.seconds_left(10) > 0);
  }

  void is_linear_in_the_work_done() {
    TimeLeft estimate;
    estimate.report({"forward", 0, 100}, 0);
    estimate.report({"forward", 25, 100}, 5);
    QCOMPARE(estimate.seconds_left(5), 15.0);
    QCOMPARE(estimate.seconds_left(6), 14.0);  // counts down between reports
    QCOMPARE(estimate.seconds_left(60), 0.0);  // never negative once known
  }

  void a_new_stage_starts_a_new_estimate() {
    TimeLeft estimate;
    estimate.report({"forward", 0, 100}, 0);
    estimate.report({"forward", 50, 100}, 5);
    estimate.report({"encode", 0, 10}, 10);
    QVERIFY(estimate.seconds_left(10) < 0);
    estimate.report({"encode", 5, 10}, 14);
    QCOMPARE(estimate.seconds_left(14), 4.0);
  }

  void counting_again_from_zero_is_a_new_stage() {
    TimeLeft estimate;
    estimate.report({"forward", 0, 100}, 0);
    estimate.report({"forward", 90, 100}, 9);
    estimate.report({"forward", 0, 100}, 10);
    estimate.report({"forward", 50, 100}, 20);
    QCOMPARE(estimate.seconds_left(20), 10.0);
  }

  void work_done_before_the_first_report_does_not_count_as_speed() {
    TimeLeft estimate;
    estimate.report({"forward", 80, 100}, 0);
    estimate.report({"forward", 90, 100}, 5);
    QCOMPARE(estimate.seconds_left(5), 5.0);
  }

  void totals_that_make_no_sense_give_no_estimate() {
    TimeLeft estimate;
    estimate.report({"forward", 0, 0}, 0);
    estimate.report({"forward", 7, 0}, 9);
    QVERIFY(estimate.seconds_left(9) < 0);
    TimeLeft beyond;
    beyond.report({"forward", 0, 10}, 0);
    beyond.report({"forward", 12, 10}, 5);
    QCOMPARE(beyond.seconds_left(5), 0.0);
  }
};

QTEST_APPLESS_MAIN(TestTimeLeft)
#include "tst_time_left.moc"
