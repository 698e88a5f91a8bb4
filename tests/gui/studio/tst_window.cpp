// The whole window: pages, names for screen readers, themes, languages, studies, keys, the probe.
#include <QAbstractButton>
#include <QAccessible>
#include <QDialog>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFontDatabase>
#include <QGlyphRun>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QRawFont>
#include <QStackedWidget>
#include <QTabBar>
#include <QTextLayout>
#include <QTimer>
#include <QToolBar>

#include "tests/gui/studio/studio_test.h"
#include "views/dialogs/cheat_sheet.h"
#include "views/dialogs/export_dialog.h"
#include "views/dialogs/report_dialog.h"
#include "views/panels/chip.h"
#include "views/panels/map_panel.h"
#include "views/panels/map_view.h"
#include "views/panels/palette_panel.h"
#include "views/probe/probe.h"
#include "views/theme/color_map.h"
#include "views/theme/theme.h"

using namespace bitlens;

namespace {

/// Everything a keyboard can reach has a name; tool tips and placeholders do not count.
QStringList nameless(const QWidget& top) {
  QStringList out;
  for (QWidget* w : top.findChildren<QWidget*>()) {
    if (w->isHidden() && qobject_cast<QAbstractButton*>(w)) continue;  // gets its text when it is shown
    if (!(w->focusPolicy() & Qt::TabFocus) || !w->isVisibleTo(&top) ||
        w->objectName().startsWith(QStringLiteral("qt_")))
      continue;
    if (w->inherits("QTabBar") && w->objectName().isEmpty())
      continue;  // of docks: each tab has its dock's name
    if (w->parentWidget() && w->parentWidget()->focusProxy() == w) continue;
    if (qobject_cast<QMenu*>(w) || qobject_cast<QDockWidget*>(w)) continue;
    // The editor inside a spin or combo box speaks with the box's name.
    if (w->parentWidget() &&
        (w->parentWidget()->inherits("QAbstractSpinBox") || w->parentWidget()->inherits("QComboBox")))
      continue;
    if (w->inherits("QTableCornerButton") || w->inherits("QScrollBar") ||
        w->inherits("QComboBoxPrivateContainer"))
      continue;
    // Views inside closed combo boxes.
    bool in_combo = false;
    for (QWidget* p = w; p; p = p->parentWidget())
      in_combo = in_combo || p->inherits("QComboBoxPrivateContainer");
    if (in_combo) continue;
    QAccessibleInterface* spoken = QAccessible::queryAccessibleInterface(w);
    if (spoken && spoken->text(QAccessible::Name).trimmed().isEmpty())
      out << QStringLiteral("%1 '%2'").arg(QLatin1String(w->metaObject()->className()), w->objectName());
  }
  return out;
}

/// Number of characters of `text` no installed font can draw.
int boxes(const QString& text, const QFont& font) {
  QTextLayout layout(text, font);
  layout.beginLayout();
  QTextLine line = layout.createLine();
  line.setLineWidth(10000);
  layout.endLayout();
  int missing = 0;
  for (const QGlyphRun& run : layout.glyphRuns())
    for (const quint32 glyph : run.glyphIndexes()) missing += glyph == 0 ? 1 : 0;
  return missing;
}

QStringList texts_on(const QWidget& top) {
  QStringList out;
  for (const QWidget* w : top.findChildren<QWidget*>()) {
    if (const auto* label = qobject_cast<const QLabel*>(w)) out << label->text();
    if (const auto* button = qobject_cast<const QAbstractButton*>(w)) out << button->text();
    out << w->windowTitle();
  }
  for (const QAction* a : top.findChildren<QAction*>()) out << a->text();
  return out;
}

bool chinese(const QString& text) {
  return std::any_of(text.begin(), text.end(), [](QChar c) { return c.script() == QChar::Script_Han; });
}

}  // namespace

class WindowTest : public QObject {
  Q_OBJECT
 public:
  static void initMain() { test::set_up_studio_tests(); }

 private slots:
  void initTestCase() { test::watch_warnings(); }
  void cleanup() { VERIFY_NO_WARNINGS(); }

  void starts_empty_and_shows_the_file_in_the_title() {
    test::Studio studio;
    auto* pages = studio.window->findChild<QStackedWidget*>(QStringLiteral("pages"));
    QCOMPARE(pages->currentWidget()->objectName(), QStringLiteral("startPage"));
    for (const QDockWidget* dock : studio.window->findChildren<QDockWidget*>()) QVERIFY(!dock->isVisible());
    QVERIFY(studio.open(folder_.small_model()));
    QCOMPARE(pages->currentWidget()->objectName(), QStringLiteral("mapPanel"));
    QVERIFY(studio.window->windowTitle().contains(QStringLiteral("small.gguf")));
    QVERIFY(studio.window->findChild<QDockWidget*>(QStringLiteral("paletteDock"))->isVisible());
    studio.document().close();
    QCOMPARE(pages->currentWidget()->objectName(), QStringLiteral("startPage"));
    QVERIFY(!studio.window->windowTitle().contains(QStringLiteral("small.gguf")));
  }

  void a_bad_file_gives_the_error_page_with_what_to_do() {
    test::Studio studio;
    auto* pages = studio.window->findChild<QStackedWidget*>(QStringLiteral("pages"));
    const auto text = [&](const char* name) {
      return pages->currentWidget()->findChild<QLabel*>(QLatin1String(name))->text();
    };
    studio.window->open_path(folder_.file(QStringLiteral("bad.gguf"), "this is no model at all, only words"));
    QTRY_COMPARE(pages->currentWidget()->objectName(), QStringLiteral("errorPage"));
    QVERIFY(text("errorPath").contains(QStringLiteral("bad.gguf")));
    QVERIFY(!text("errorAdvice").isEmpty());
    QVERIFY(!text("errorDetail").isEmpty());
    studio.window->open_path(folder_.path(QStringLiteral("not-there.gguf")));
    QTRY_VERIFY(pages->currentWidget()->objectName() == QLatin1String("errorPage") &&
                text("errorPath").contains(QStringLiteral("not-there.gguf")));
    QVERIFY(studio.open(folder_.small_model()));
    QCOMPARE(pages->currentWidget()->objectName(), QStringLiteral("mapPanel"));
  }

  void texts_from_files_are_never_markup() {
    test::Studio studio;
    studio.window->open_path(folder_.path(QStringLiteral("<b>bold</b><img src=x>.gguf")));
    auto* path = studio.window->findChild<QLabel*>(QStringLiteral("errorPath"));
    QTRY_VERIFY(path->text().contains(QStringLiteral("<b>bold</b>")));
    QCOMPARE(path->textFormat(), Qt::PlainText);
    for (const char* name :
         {"errorDetail", "messageText", "inspectorHeading", "modelSummary", "measureResult", "jobTitle"})
      QCOMPARE(studio.window->findChild<QLabel*>(QLatin1String(name))->textFormat(), Qt::PlainText);
  }

  void everything_the_keyboard_reaches_has_a_name() {
    test::Studio studio;
    QVERIFY2(nameless(*studio.window).isEmpty(), qPrintable(nameless(*studio.window).join('\n')));
    QVERIFY(studio.open(folder_.small_model()));
    for (const char* language : {"en", "zh_CN"}) {
      studio.window->set_language(QLatin1String(language));
      QCoreApplication::processEvents();
      const QStringList silent = nameless(*studio.window);
      QVERIFY2(silent.isEmpty(), qPrintable(silent.join('\n')));
      views::ExportDialog exporting(studio.document());
      views::ReportDialog report(studio.document());
      QVERIFY2(nameless(exporting).isEmpty(), qPrintable(nameless(exporting).join('\n')));
      QVERIFY2(nameless(report).isEmpty(), qPrintable(nameless(report).join('\n')));
    }
  }

  void the_window_fits_a_small_screen() {
    test::Studio studio;
    studio.window->close();
    studio::Options options;
    options.clean = true;
    studio.window = std::make_unique<studio::MainWindow>(options, studio.language);
    studio.window->show();
    QCOMPARE(studio.window->size(), QSize(1280, 840));
    QVERIFY(studio.open(folder_.small_model()));
    QCoreApplication::processEvents();
    QCOMPARE(studio.window->size(), QSize(1280, 840));
    for (const char* language : {"en", "zh_CN"}) {
      studio.window->set_language(QLatin1String(language));
      QCoreApplication::processEvents();
      const QSize least = studio.window->minimumSizeHint();
      QVERIFY2(least.width() <= 1280 && least.height() <= 720,
               qPrintable(QStringLiteral("%1 x %2").arg(least.width()).arg(least.height())));
    }
  }

  void every_widget_of_ours_has_a_stable_object_name() {
    test::Studio studio;
    QSet<QString> names;
    for (const QWidget* w : studio.window->findChildren<QWidget*>()) {
      if (w->focusPolicy() == Qt::NoFocus || w->objectName().isEmpty() ||
          w->objectName().startsWith(QStringLiteral("qt_")) || w->objectName() == QLatin1String("plot") ||
          w->objectName().startsWith(QStringLiteral("Scroll")))  // a tab bar's own buttons
        continue;
      if (qobject_cast<const QTabBar*>(w->parentWidget())) continue;  // Qt's own scroll buttons
      QVERIFY2(!names.contains(w->objectName()), qPrintable(w->objectName()));
      names.insert(w->objectName());
    }
    for (const char* name : {"mapView", "tensorTree", "tensorSearch", "measureButton", "chip_Q4_0",
                             "textsTable", "compareTable"})
      QVERIFY2(names.contains(QLatin1String(name)), name);
  }

  void both_palettes_read_well() {
    for (const QPalette& p : {views::light_palette(), views::dark_palette()}) {
      const std::pair<QPalette::ColorRole, QPalette::ColorRole> pairs[] = {
          {QPalette::WindowText, QPalette::Window},
          {QPalette::Text, QPalette::Base},
          {QPalette::Text, QPalette::AlternateBase},
          {QPalette::ButtonText, QPalette::Button},
          {QPalette::HighlightedText, QPalette::Highlight},
          {QPalette::ToolTipText, QPalette::ToolTipBase},
          {QPalette::Link, QPalette::Window},
          {QPalette::Link, QPalette::Base},
          {QPalette::PlaceholderText, QPalette::Window},
          {QPalette::PlaceholderText, QPalette::Base}};
      for (const auto& [ink, ground] : pairs)
        QVERIFY2(views::contrast(p.color(ink), p.color(ground)) >= 4.5,
                 qPrintable(QStringLiteral("%1 on %2: %3")
                                .arg(int(ink))
                                .arg(int(ground))
                                .arg(views::contrast(p.color(ink), p.color(ground)))));
      const views::Accents a = views::accents(p);
      for (const QColor& ink : {a.good, a.warning, a.bad, a.series_two})
        for (const auto ground : {QPalette::Window, QPalette::Base})
          QVERIFY(views::contrast(ink, p.color(ground)) >= (ink == a.series_two ? 3.0 : 4.5));
    }
    // Letters on every colour of the scale; the scale gets lighter throughout.
    double before = -1;
    for (int i = 0; i <= 100; ++i) {
      const QColor ground = views::ColorMap::cividis().at(i / 100.0);
      QVERIFY(views::contrast(views::text_on(ground), ground) >= 4.5);
      QVERIFY(views::luminance(ground) > before);
      before = views::luminance(ground);
    }
  }

  void the_theme_changes_at_run_time() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    const QImage light = studio.window->grab().toImage();
    studio.window->set_scheme(views::Scheme::Dark);
    QCoreApplication::processEvents();
    const QImage dark = studio.window->grab().toImage();
    const auto mean = [](const QImage& image) {
      double sum = 0;
      for (int y = 0; y < image.height(); y += 7)
        for (int x = 0; x < image.width(); x += 7) sum += qGray(image.pixel(x, y));
      return sum / (image.height() / 7.0) / (image.width() / 7.0);
    };
    QVERIFY2(mean(dark) < 0.55 * mean(light), "every panel, plots too, follows the palette");
    for (const QWidget* w : studio.window->findChildren<QWidget*>()) QVERIFY(w->styleSheet().isEmpty());
    studio.window->set_scheme(views::Scheme::Light);
    QCoreApplication::processEvents();
    QVERIFY(std::abs(mean(studio.window->grab().toImage()) - mean(light)) < 2);
  }

  void the_language_changes_at_run_time() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    studio.document().assign({0}, kernels::Format::Q8_0);
    studio.window->set_language(QStringLiteral("zh_CN"));
    QCoreApplication::processEvents();
    QCOMPARE(studio.window->action("measure")->text(), QStringLiteral("测量(&M)"));
    QCOMPARE(studio.window->findChild<QDockWidget*>(QStringLiteral("compareDock"))->windowTitle(),
             QStringLiteral("比较"));
    int translated = 0;
    QStringList english;
    for (QString text : texts_on(*studio.window)) {
      text.remove('&');
      if (chinese(text)) ++translated;
      static const QRegularExpression words(QStringLiteral("[A-Za-z]{4,} [A-Za-z]{2,}"));
      if (!chinese(text) && words.match(text).hasMatch() && !text.contains('.')) english << text;
    }
    QVERIFY2(translated > 60, qPrintable(QString::number(translated)));
    // What may stay: undo names made before the switch.
    english.removeIf([](const QString& t) { return t.contains(QStringLiteral("Set Q8_0")); });
    QVERIFY2(english.isEmpty(), qPrintable(english.join('\n')));
    studio.window->set_language(QStringLiteral("en"));
    QCoreApplication::processEvents();
    QCOMPARE(studio.window->action("measure")->text(), QStringLiteral("&Measure"));
  }

  void chinese_is_drawn_not_boxes() {
    if (!QFontDatabase::writingSystems().contains(QFontDatabase::SimplifiedChinese))
      QSKIP("needs a font with Chinese characters");
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    studio.window->set_language(QStringLiteral("zh_CN"));
    QCoreApplication::processEvents();
    for (const QString& text : texts_on(*studio.window))
      if (!text.isEmpty()) QVERIFY2(boxes(text, studio.window->font()) == 0, qPrintable(text));
  }

  void a_study_comes_back_as_it_was() {
    const QString path = folder_.path(QStringLiteral("kept.bitlens"));
    quantize::Recipe recipe;
    {
      test::Studio studio;
      QVERIFY(studio.open(folder_.small_model()));
      studio.document().texts().add(folder_.text(), study::TextUse::Evaluation);
      studio.document().assign({studio.tensor("output.weight")}, kernels::Format::Q8_0);
      studio.document().rename_recipe(QStringLiteral("kept recipe"));
      evaluate::Options options;
      options.context = 32;
      studio.document().measurements().set_options(options);
      QVERIFY(studio.wait_idle());
      recipe = studio.document().recipe();
      studio.document().save_study(path);
      QTRY_VERIFY(QFile::exists(path) && !studio.document().modified());
      QVERIFY(studio.window->windowTitle().contains(QStringLiteral("kept.bitlens")));
    }
    test::Studio studio;
    QVERIFY(studio.open(path));
    QVERIFY(studio.document().recipe() == recipe);
    QCOMPARE(studio.document().texts().entries().size(), 1U);
    QTRY_VERIFY(studio.document().texts().entries()[0].tokens);
    QCOMPARE(studio.document().measurements().options().context, 32U);
    QCOMPARE(studio.format("output.weight"), std::string("Q8_0"));
    QVERIFY(!studio.document().modified());
  }

  void a_damaged_study_is_an_error_not_half_a_study() {
    test::Studio studio;
    studio.window->open_path(
        folder_.file(QStringLiteral("broken.bitlens"), "{\"bitlens_study\": 1, \"texts\": ["));
    QTRY_COMPARE(studio.document().state(), views::Document::State::Failed);
    QVERIFY(studio.document().texts().entries().empty());
  }

  void a_recipe_file_is_opened_and_can_be_undone() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    studio.window->open_path(folder_.file(
        QStringLiteral("mix.json"),
        R"({"bitlens_recipe": 1, "name": "mix", "rules": [{"tensor": "blk.*.ffn_up.weight", "format": "Q4_0"}], "default": "Q8_0"})"));
    QTRY_COMPARE(studio.format("blk.1.ffn_up.weight"), std::string("Q4_0"));
    QCOMPARE(studio.format("blk.1.attn_q.weight"), std::string("Q8_0"));
    QVERIFY(studio.document().undo_stack().undoText().contains(QStringLiteral("mix.json")));
    studio.document().undo_stack().undo();
    QTRY_COMPARE(studio.format("blk.1.ffn_up.weight"), std::string("F32"));
  }

  void the_export_dialog_checks_before_it_starts() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    studio.document().assign({studio.tensor("output.weight")}, kernels::Format::Q8_0);
    QTRY_COMPARE(studio.format("output.weight"), std::string("Q8_0"));
    views::ExportDialog dialog(studio.document());
    auto* path = dialog.findChild<QLineEdit*>(QStringLiteral("exportPath"));
    auto* go = dialog.findChild<QAbstractButton*>(QStringLiteral("exportOk"));
    path->setText(folder_.path(QStringLiteral("small.gguf")));
    QVERIFY2(!go->isEnabled(), "the open model must not be overwritten");
    path->setText(folder_.path(QStringLiteral("no/such/folder/out.gguf")));
    QVERIFY(!go->isEnabled());
    const QString out = folder_.path(QStringLiteral("out.gguf"));
    path->setText(out);
    QVERIFY(go->isEnabled());
    go->click();
    QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(out), 30000);
    QVERIFY(studio.wait_idle());
    QCOMPARE(static_cast<std::uint64_t>(QFileInfo(out).size()), studio.document().resolved()->file_bytes);
  }

  void the_probe_tells_where_things_are() {
    test::Studio studio;
    const views::Probe probe(*studio.window, studio.document(), folder_.path(QStringLiteral("probe.json")));
    QVERIFY(studio.open(folder_.small_model()));
    studio.document().assign({studio.tensor("output.weight")}, kernels::Format::Q8_0);
    QTRY_COMPARE(studio.format("output.weight"), std::string("Q8_0"));
    const auto read = [&] {
      QFile written(folder_.path(QStringLiteral("probe.json")));
      return written.open(QIODevice::ReadOnly) ? written.readAll() : QByteArray();
    };
    QTRY_VERIFY(read().contains("\"Q8_0\",\"rect\""));
    const QJsonObject seen = QJsonDocument::fromJson(probe.snapshot()).object();
    QCOMPARE(seen["state"].toString(), QStringLiteral("ready"));
    QCOMPARE(seen["cells"].toArray().size(),
             static_cast<qsizetype>(studio.document().session()->file().tensors().size()));
    QCOMPARE(seen["sizes"].toObject()["file_bytes"].toDouble(),
             static_cast<double>(studio.document().resolved()->file_bytes));
    for (const QJsonValue& value : seen["cells"].toArray()) {
      const QJsonObject cell = value.toObject();
      const QJsonArray rect = cell["rect"].toArray();
      const QPoint centre(rect[0].toInt() + rect[2].toInt() / 2, rect[1].toInt() + rect[3].toInt() / 2);
      if (!cell["visible"].toBool()) continue;
      views::MapView& view = studio.window->map_panel().view();
      const QModelIndex index = view.indexAt(view.viewport()->mapFromGlobal(centre));
      QCOMPARE(index.data().toString(), cell["format"].toString());
    }
    QVERIFY(seen["buttons"].toObject().contains(QStringLiteral("addEvaluationText")));
    QVERIFY(seen["fields"].toObject().contains(QStringLiteral("measureContext")));
  }

  void the_keys_page_lists_every_shortcut() {
    test::Studio studio;
    views::CheatSheet sheet({{QStringLiteral("measure"), studio.window->action("measure")}});
    bool found = false;
    for (const QLabel* label : sheet.findChildren<QLabel*>())
      found = found || label->text() == QLatin1String("F5");
    QVERIFY(found);
  }

  void dropping_a_file_on_the_window_opens_it() {
    test::Studio studio;
    QMimeData mime;
    mime.setUrls({QUrl::fromLocalFile(folder_.small_model())});
    QDragEnterEvent enter(QPoint(300, 300), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(studio.window.get(), &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent drop(QPointF(300, 300), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(studio.window.get(), &drop);
    QTRY_COMPARE_WITH_TIMEOUT(studio.document().state(), views::Document::State::Ready, 20000);
    QVERIFY(studio.wait_idle());
  }

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(WindowTest)
#include "tst_window.moc"
