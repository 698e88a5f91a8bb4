// Starting from a scheme, tensor types, and importance matrices in the window.
#include <QLabel>
#include <QMenu>
#include <QSignalSpy>
#include <QToolButton>

#include "core/study/recipes.h"
#include "tests/gui/studio/studio_test.h"
#include "views/bridge/recipe_files.h"
#include "views/dialogs/export_dialog.h"

using namespace bitlens;

class SchemesAndImportanceTest : public QObject {
  Q_OBJECT
 public:
  static void initMain() { test::set_up_studio_tests(); }

 private slots:
  void initTestCase() { test::watch_warnings(); }
  void cleanup() { VERIFY_NO_WARNINGS(); }

  /// One scheme is one step of the history, and the same recipe the command line gets.
  void a_scheme_is_one_edit() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    auto* menu = studio.window->findChild<QMenu*>(QStringLiteral("schemesMenu"));
    QVERIFY(menu != nullptr);
    emit menu->aboutToShow();
    QAction* chosen = nullptr;
    for (QAction* a : menu->actions())
      if (a->text() == QStringLiteral("Q4_K_M")) chosen = a;
    QVERIFY(chosen != nullptr && chosen->isEnabled());
    QVERIFY(!chosen->toolTip().isEmpty());
    const std::string before = studio.format("blk.0.attn_q.weight");
    chosen->trigger();
    QTRY_COMPARE(studio.format("blk.0.attn_q.weight"), std::string("Q5_0"));  // rows fit no block of 256
    QVERIFY(studio.wait_idle());
    QCOMPARE(studio.document().undo_stack().count(), 1);
    const auto expected = study::load_recipe("Q4_K_M", studio.document().session()->file(), false);
    QVERIFY(expected.has_value());
    QVERIFY(studio.document().recipe().rules == expected->recipe.rules);
    QCOMPARE(studio.document().recipe_name(), QStringLiteral("Q4_K_M"));

    // An override moves no other tensor.
    const auto resolved = studio.document().resolved();
    studio.document().assign({studio.tensor("blk.0.attn_v.weight")}, kernels::Format::F16);
    QTRY_COMPARE(studio.format("blk.0.attn_v.weight"), std::string("F16"));
    for (std::size_t t = 0; t < resolved->tensors.size(); ++t)
      if (t != studio.tensor("blk.0.attn_v.weight"))
        QCOMPARE(studio.document().resolved()->tensors[t].format, resolved->tensors[t].format);
    studio.document().undo_stack().undo();
    studio.document().undo_stack().undo();
    QTRY_COMPARE(studio.format("blk.0.attn_q.weight"), before);
  }

  void tensor_types_round_trip() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    const auto session = studio.document().session();
    const auto scheme = study::load_recipe("field:Q5_0", session->file(), false);
    QVERIFY(scheme.has_value());
    studio.document().replace_recipe(scheme->recipe, QStringLiteral("test"));
    QTRY_COMPARE(studio.format("blk.0.attn_q.weight"), std::string("Q5_0"));
    const std::string path = folder_.path(QStringLiteral("types.txt")).toStdString();
    QVERIFY(views::save_tensor_types(*studio.document().resolved(), *session, path).has_value());
    const auto loaded = views::load_tensor_types(path, *session, {});
    QVERIFY(loaded.has_value() && loaded->warnings.empty());
    const auto again = quantize::resolve(loaded->recipe, session->file(), quantize::Quantizer::Search);
    QVERIFY(again.has_value());
    for (std::size_t t = 0; t < again->tensors.size(); ++t)
      QCOMPARE(again->tensors[t].format, studio.document().resolved()->tensors[t].format);
    // The window's thread may read these small files in a test; the warning it gives is the expected one.
    QVERIFY(!test::take_warnings().isEmpty());
  }

  /// Made from the calibration text, used at once, shown, and gone with the model.
  void an_importance_matrix_is_made_and_used() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::Document& document = studio.document();
    auto* button = studio.window->findChild<QToolButton*>(QStringLiteral("importanceButton"));
    QVERIFY(button != nullptr && button->isEnabled());
    QCOMPARE(button->text(), QStringLiteral("none"));
    document.texts().add(folder_.text(), study::TextUse::Calibration);
    document.texts().add(folder_.text(), study::TextUse::Evaluation);
    QVERIFY(studio.wait_idle());
    QTRY_VERIFY(document.texts().calibration() && document.texts().calibration()->tokens);
    QTRY_VERIFY(document.texts().evaluation() && document.texts().evaluation()->tokens);
    evaluate::Options options;
    options.context = 32;
    options.windows = 8;
    document.measurements().set_options(options);
    document.assign({studio.tensor("blk.0.attn_q.weight")}, kernels::Format::Q4_0);
    QTRY_COMPARE(studio.format("blk.0.attn_q.weight"), std::string("Q4_0"));
    QVERIFY(!document.resolved()->tensors[studio.tensor("blk.0.attn_q.weight")].weighted);

    const QString path = folder_.path(QStringLiteral("made.imatrix.gguf"));
    document.importance().make(document.session(), document.texts().calibration()->tokens, options, path);
    QTRY_COMPARE_WITH_TIMEOUT(button->text(), QStringLiteral("made.imatrix.gguf"), 60000);
    QTRY_VERIFY(document.resolved()->tensors[studio.tensor("blk.0.attn_q.weight")].weighted);
    views::ExportDialog dialog(document, studio.window.get());
    QVERIFY(dialog.findChild<QLabel*>(QStringLiteral("exportWarnings"))
                ->text()
                .contains(QStringLiteral("made.imatrix.gguf")));
    QVERIFY(studio.wait_idle());
    QTRY_COMPARE(document.measure_obstacle(), QString());
    document.measure();
    QTRY_VERIFY_WITH_TIMEOUT(!document.measurements().results().empty(), 60000);
    QCOMPARE(document.measurements().results().back().provenance.imatrix, std::string("made.imatrix.gguf"));

    QAction* stop = studio.window->findChild<QAction*>(QStringLiteral("stopImportance"));
    QVERIFY(stop != nullptr && stop->isEnabled());
    stop->trigger();
    QCOMPARE(button->text(), QStringLiteral("none"));
    QTRY_VERIFY(!document.resolved()->tensors[studio.tensor("blk.0.attn_q.weight")].weighted);

    document.importance().use(document.session(), path);
    QTRY_COMPARE_WITH_TIMEOUT(button->text(), QStringLiteral("made.imatrix.gguf"), 60000);
    const QString study = folder_.path(QStringLiteral("with importance.bitlens"));
    document.save_study(study);
    QTRY_VERIFY(QFile::exists(study) && !document.modified());
    document.close();
    QVERIFY(!document.importance().value());

    // A study brings its matrix back, and that is no change of the study.
    document.open_study(study);
    QTRY_COMPARE_WITH_TIMEOUT(button->text(), QStringLiteral("made.imatrix.gguf"), 60000);
    QTRY_VERIFY(document.resolved() &&
                document.resolved()->tensors[studio.tensor("blk.0.attn_q.weight")].weighted);
    QVERIFY(!document.modified());
    document.close();

    QSignalSpy notices(&document, &views::Document::notice);
    QFile(folder_.path(QStringLiteral("made.imatrix.gguf"))).remove();
    document.open_study(study);
    QTRY_VERIFY_WITH_TIMEOUT(!notices.empty(), 60000);
    QCOMPARE(notices[0][0].value<views::NoticeKind>(), views::NoticeKind::Failure);
    QVERIFY(!document.importance().value());
    document.close();
  }

  void a_bad_importance_matrix_is_refused() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    QSignalSpy notices(&studio.document(), &views::Document::notice);
    studio.document().importance().use(studio.document().session(), folder_.text());
    QTRY_COMPARE_WITH_TIMEOUT(notices.size(), 1, 60000);
    QCOMPARE(notices[0][0].value<views::NoticeKind>(), views::NoticeKind::Failure);
    QVERIFY(!studio.document().importance().value());
  }

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(SchemesAndImportanceTest)
#include "tst_schemes_and_importance.moc"
