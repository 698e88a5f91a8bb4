// What is kept of sensitivity: cells and predictions live in studies and journals.
#include <QDir>

#include "tests/gui/studio/sensitivity_test.h"

using namespace bitlens;
using kernels::Format;
using sensitivity::Method;
using State = views::Sensitivity::State;

class SensitivityKeptTest : public QObject {
  Q_OBJECT
 public:
  static void initMain() { test::set_up_studio_tests(); }

 private slots:
  void initTestCase() { test::watch_warnings(); }
  void init() { QDir(views::journal_folder()).removeRecursively(); }
  void cleanup() { VERIFY_NO_WARNINGS(); }

  void a_study_keeps_cells_and_predictions() {
    const QString path = folder_.path(QStringLiteral("cells.bitlens"));
    const study::SweepPlan plan = test::small_plan();
    std::optional<study::RecipePrediction> before;
    std::vector<views::SweepPtr> results;
    {
      test::Studio studio;
      QVERIFY(test::make_ready(studio, folder_.small_model(), folder_.text(), plan));
      views::Document& document = studio.document();
      document.find_sensitivity();
      QVERIFY(test::wait_done(studio));
      document.assign({studio.tensor("blk.0.attn_q.weight"), studio.tensor("blk.1.ffn_up.weight")},
                      Format::Q4_0);
      QTRY_VERIFY(document.prediction() && document.prediction()->changed == 2);
      before = document.prediction();
      results = document.sensitivity().results();
      document.save_study(path);
      QTRY_VERIFY(!document.modified());
    }
    QDir(views::journal_folder()).removeRecursively();
    test::Studio studio;
    QVERIFY(studio.open(path));
    views::Document& document = studio.document();
    QTRY_VERIFY(document.sensitivity().known());
    QCOMPARE(document.sensitivity().results().size(), results.size());
    for (const views::SweepPtr& result : results) {
      const auto* again = test::result_of(document.sensitivity(), result->cells.front().method);
      QVERIFY(again && test::same_cells(*again, *result));
    }
    QVERIFY(document.sensitivity().plan() == plan);
    QCOMPARE(document.sensitivity().state(), State::Idle);
    QTRY_VERIFY(document.prediction() && document.prediction()->changed == 2);
    QCOMPARE(document.prediction()->kl_mean, before->kl_mean);
    QCOMPARE(document.prediction()->kl_se, before->kl_se);
    QVERIFY(before->joint && before->kl_mean > 0 && before->kl_se > 0);
  }

  void an_unfinished_run_is_found_again_in_its_journals() {
    const QString path = folder_.path(QStringLiteral("unfinished.bitlens")), model = folder_.small_model(),
                  text = folder_.text();
    study::SweepPlan plan = test::small_plan();
    plan.adaptive = false;
    plan.scores = false;
    {
      test::Studio studio;
      QVERIFY(test::make_ready(studio, model, text, plan));
      views::Document& document = studio.document();
      document.find_sensitivity();
      // As a kill would leave it: the study was saved at the start, the journals hold the rest.
      study::Study study = document.to_study();
      QVERIFY(study.sweep && study.sweep->unfinished);
      study.sensitivities.clear();
      QVERIFY(study::save_study(study, path.toStdString()));
      QVERIFY(test::wait_done(studio));
    }
    test::Studio studio;
    QVERIFY(studio.open(path));
    views::Sensitivity& run = studio.document().sensitivity();
    QCOMPARE(run.state(), State::Paused);
    QTRY_VERIFY_WITH_TIMEOUT(run.known() && test::result_of(run, Method::Measured), 60'000);
    const auto truth = test::by_the_engine(model, text, Method::Measured, plan);
    QVERIFY(truth && test::same_cells(*test::result_of(run, Method::Measured), *truth));
    // Going on finds nothing left to do.
    QVERIFY(studio.wait_idle());
    studio.window->action("sensitivity")->trigger();
    QVERIFY(test::wait_done(studio));
    QVERIFY(test::same_cells(*test::result_of(run, Method::Measured), *truth));
    QVERIFY(!studio.document().to_study().sweep->unfinished);
  }

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(SensitivityKeptTest)
#include "tst_sensitivity_kept.moc"
