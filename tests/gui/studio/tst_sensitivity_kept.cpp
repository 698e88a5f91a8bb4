// What is kept of sensitivity: cells and predictions live in studies and journals.
#include <QDir>
#include <QLabel>

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
    QCOMPARE(run.progress().stage, Method::Measured);
    QCOMPARE(run.progress().cells, truth->cells.size());
    // Going on finds nothing left to do.
    QVERIFY(studio.wait_idle());
    studio.window->action("sensitivity")->trigger();
    QVERIFY(test::wait_done(studio));
    QVERIFY(test::same_cells(*test::result_of(run, Method::Measured), *truth));
    QVERIFY(!studio.document().to_study().sweep->unfinished);
  }

  // What a restored run would go on with is what it says, and a cell without all its windows is not done.
  void a_restored_run_says_where_it_is() {
    const QString path = folder_.path(QStringLiteral("begun.bitlens")), model = folder_.small_model(),
                  text = folder_.text();
    study::SweepPlan plan = test::small_plan();
    plan.adaptive = false;
    plan.scores = false;
    const auto reopened = [&](const std::vector<study::SensitivityResult>& known) {
      auto studio = std::make_unique<test::Studio>();
      if (!test::make_ready(*studio, model, text, plan)) return std::unique_ptr<test::Studio>();
      study::Study study = studio->document().to_study();
      study.sweep = plan;
      study.sweep->unfinished = true;
      study.sensitivities.clear();
      for (const study::SensitivityResult& result : known)
        study.sensitivities.push_back(std::make_shared<const study::SensitivityResult>(result));
      if (!study::save_study(study, path.toStdString())) return std::unique_ptr<test::Studio>();
      studio = std::make_unique<test::Studio>();
      if (!studio->open(path)) return std::unique_ptr<test::Studio>();
      return studio;
    };
    const auto stage_of = [](const test::Studio& studio) {
      return studio.window->findChild<QLabel*>(QStringLiteral("sensitivityStage"))->text();
    };
    auto predicted = test::by_the_engine(model, text, Method::Response, plan);
    auto measured = test::by_the_engine(model, text, Method::Measured, plan);
    QVERIFY(predicted && measured);
    const auto all = measured->cells.size();
    {
      const auto studio = reopened({});
      QVERIFY(studio);
      QTRY_COMPARE(stage_of(*studio), QStringLiteral("Predicting: 0 cells, 0 of 40 samples (paused)"));
      QVERIFY(studio->wait_idle());
    }
    {
      auto few = *predicted;
      for (sensitivity::CellRecord& cell : few.cells) {
        cell.response.resize(12);
        cell.samples = 12;
      }
      const auto studio = reopened({few});
      QVERIFY(studio);
      QTRY_COMPARE(stage_of(*studio),
                   QStringLiteral("Predicting: %1 cells, 12 of 40 samples (paused)").arg(all));
      QVERIFY(studio->wait_idle());
    }
    measured->cells[1].windows = 4;
    measured->cells[1].window_kl.resize(4);
    const auto studio = reopened({*predicted, *measured});
    QVERIFY(studio);
    QTRY_COMPARE(stage_of(*studio),
                 QStringLiteral("Measuring: %1 of %2 cells (paused)").arg(all - 1).arg(all));
    QVERIFY(studio->wait_idle());
  }

  // Cells are rounded by the matrix that was chosen, in the window as in the engine.
  void a_run_takes_the_importance_matrix_that_was_chosen() {
    const QString model = folder_.small_model(), text = folder_.text();
    study::SweepPlan plan = test::small_plan();
    plan.adaptive = false;
    plan.scores = false;
    test::Studio studio;
    QVERIFY(test::make_ready(studio, model, text, plan));
    views::Document& document = studio.document();
    document.find_sensitivity();
    QVERIFY(test::wait_done(studio));
    const study::SensitivityResult plain = *test::result_of(document.sensitivity(), Method::Measured);
    QVERIFY(plain.provenance.imatrix_sha256.empty());

    const QString path = folder_.path(QStringLiteral("chosen.imatrix.gguf"));
    evaluate::Options options;
    options.context = test::kSweepContext;
    options.windows = 8;
    document.importance().make(document.session(), document.texts().evaluation()->tokens, options, path);
    QTRY_VERIFY_WITH_TIMEOUT(document.importance().value(), 60'000);
    QVERIFY(studio.wait_idle());
    QTRY_VERIFY(studio.window->findChild<QLabel*>(QStringLiteral("sensitivityPlan"))
                    ->text()
                    .contains(QStringLiteral("importance matrix")));
    studio.window->action("sensitivity")->trigger();
    QVERIFY(test::wait_done(studio));
    for (const Method method : {Method::Response, Method::Measured}) {
      const auto truth = test::by_the_engine(model, text, method, plan, document.importance().value());
      QVERIFY2(truth, truth ? "" : truth.error().describe().c_str());
      const auto* shown = test::result_of(document.sensitivity(), method);
      QVERIFY(shown && test::same_cells(*shown, *truth));
      QVERIFY(!shown->provenance.imatrix_sha256.empty());
    }
    QVERIFY(!test::same_cells(plain, *test::result_of(document.sensitivity(), Method::Measured)));
  }

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(SensitivityKeptTest)
#include "tst_sensitivity_kept.moc"
