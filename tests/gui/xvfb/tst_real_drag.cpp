// The whole path with real X events: a chip is dragged onto a cell of the running studio, the recipe is
// measured and exported; what lands on disk and what the command line measures are what the window showed.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include "core/io/model_file.h"
#include "tests/e2e/cli/cli_runner.h"
#include "tests/gui/xvfb/studio_driver.h"

using namespace bitlens;
using namespace bitlens::test;

namespace {

void write(const QString& path, const std::string& bytes) {
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  QCOMPARE(file.write(bytes.data(), static_cast<qint64>(bytes.size())), static_cast<qint64>(bytes.size()));
}

QJsonObject control(const StudioDriver& studio, const char* group, const char* name) {
  return studio.probe()[QLatin1String(group)].toObject()[QLatin1String(name)].toObject();
}

}  // namespace

class RealDragTest : public QObject {
  Q_OBJECT
 private slots:
  void drag_measure_export() {
    if (const QString missing = StudioDriver::missing_tools(); !missing.isEmpty())
      QSKIP(qPrintable("needs " + missing));
    const QString model = folder_.filePath("small.gguf"), text = folder_.filePath("words.txt");
    write(model, model_bytes(small_model()));
    write(text, random_text(6000));

    StudioDriver studio;
    QVERIFY2(studio.start({"--clean", "--lang", "en", "--geometry", "1400x840", model}),
             qPrintable(studio.problem()));
    const auto ready = [](const QJsonObject& p) {
      return p["state"] == "ready" && !p["cells"].toArray().isEmpty();
    };
    QVERIFY(studio.wait_for(ready));
    QVERIFY2(studio.probe()["title"].toString().contains("small.gguf"),
             qPrintable(studio.probe()["title"].toString()));

    // A real chip onto a real cell.
    const QString tensor = QStringLiteral("blk.0.attn_q.weight");
    const QJsonObject chip = StudioDriver::find(studio.probe(), "chips", "name", "Q8_0");
    const QJsonObject cell = StudioDriver::find(studio.probe(), "cells", "tensor", tensor);
    QVERIFY(chip["visible"].toBool());
    QVERIFY(cell["visible"].toBool());
    QCOMPARE(cell["format"].toString(), cell["source"].toString());
    const double size_before = studio.probe()["sizes"].toObject()["file_bytes"].toDouble();
    QVERIFY(studio.drag(StudioDriver::middle(chip), StudioDriver::middle(cell)));
    QVERIFY(studio.wait_for([&](const QJsonObject& p) {
      return StudioDriver::find(p, "cells", "tensor", tensor)["format"] == "Q8_0" &&
             p["sizes"].toObject()["file_bytes"].toDouble() < size_before;
    }));

    // A text through the panel's button and the file dialog.
    QVERIFY(studio.click(StudioDriver::middle(control(studio, "buttons", "addEvaluationText"))));
    QVERIFY(studio.wait_for(
        [](const QJsonObject& p) { return p["fields"].toObject().contains("fileNameEdit"); }));
    QVERIFY(studio.type(text));
    QVERIFY(studio.key("Return"));
    QVERIFY(studio.wait_for([](const QJsonObject& p) { return p["dialog"] == "" && p["idle"].toBool(); }));

    // Windows of 64 tokens, then F5.
    const QJsonObject context = control(studio, "fields", "measureContext");
    QVERIFY(studio.click(StudioDriver::middle(context) - QPoint(12, 0)));
    QVERIFY(studio.key("ctrl+a"));
    QVERIFY(studio.type("64"));
    QVERIFY(studio.key("Return"));
    QVERIFY(studio.key("F5"));
    const auto measured = [](const QJsonObject& p) {
      for (const QJsonValue& r : p["results"].toArray())
        if (r.toObject()["recipe"].toBool()) return p["idle"].toBool();
      return false;
    };
    QVERIFY2(studio.wait_for(measured, 60000), qPrintable(studio.probe()["message"].toString()));
    QJsonObject shown;
    for (const QJsonValue& r : studio.probe()["results"].toArray())
      if (r.toObject()["recipe"].toBool()) shown = r.toObject();
    QVERIFY(shown["ppl"].toDouble() > 1.0);
    QVERIFY(shown["kl_mean"].toDouble() > 0.0);

    // Export from the tool bar.
    const QString out = folder_.filePath("out.gguf");
    QVERIFY(studio.click(StudioDriver::middle(control(studio, "buttons", "tool_exportModel"))));
    QVERIFY(studio.wait_for([](const QJsonObject& p) { return p["dialog"] == "exportDialog"; }));
    QVERIFY(studio.click(StudioDriver::middle(control(studio, "fields", "exportPath"))));
    QVERIFY(studio.key("ctrl+a"));
    QVERIFY(studio.type(out));
    QVERIFY(studio.click(StudioDriver::middle(control(studio, "buttons", "exportOk"))));
    QVERIFY2(studio.wait_for([&](const QJsonObject& p) {
      return p["dialog"] == "" && p["idle"].toBool() && QFile::exists(out);
    }),
             qPrintable(studio.probe()["message"].toString()));

    // On disk: the recipe, the types and the size the window showed.
    const auto file = io::open_gguf(out.toStdString());
    QVERIFY2(file.has_value(), file ? "" : file.error().describe().c_str());
    const QJsonObject end = studio.probe();
    QCOMPARE(static_cast<double>((*file)->file_bytes()), end["sizes"].toObject()["file_bytes"].toDouble());
    int compared = 0;
    for (const QJsonValue& value : end["cells"].toArray()) {
      const QJsonObject c = value.toObject();
      const auto index = (*file)->find_tensor(c["tensor"].toString().toStdString());
      QVERIFY(index.has_value());
      QCOMPARE(QString::fromUtf8(kernels::info((*file)->tensors()[*index].format).name.data()),
               c["format"].toString());
      ++compared;
    }
    QVERIFY(compared > 8);
    const auto recipe = (*file)->metadata().get_string("bitlens.recipe");
    QVERIFY(recipe.has_value());
    const auto in_file = nlohmann::json::parse(*recipe, nullptr, false);
    const auto in_window =
        nlohmann::json::parse(QJsonDocument(end["recipe"].toObject()).toJson().toStdString(), nullptr, false);
    QVERIFY(in_file.is_object());
    QVERIFY(in_file["rules"] == in_window["rules"]);

    // The command line, on the exported file and by recipe, says what the window said.
    const Outcome from_file =
        cli({"perplexity", out, "--text", text, "--context", "64", "--base", model, "--json"});
    QVERIFY2(from_file.ok(), from_file.describe().constData());
    const auto figures = from_file.json();
    QVERIFY(std::abs(figures["ppl"].get<double>() - shown["ppl"].toDouble()) <=
            1e-12 * shown["ppl"].toDouble());
    QVERIFY(std::abs(figures["kl_mean"].get<double>() - shown["kl_mean"].toDouble()) <=
            1e-9 * shown["kl_mean"].toDouble());

    // Undo by the keyboard, with the Map in focus, puts the cell back.
    QVERIFY(
        studio.click(StudioDriver::middle(StudioDriver::find(studio.probe(), "cells", "tensor", tensor))));
    QVERIFY(studio.key("ctrl+z"));
    QVERIFY(studio.wait_for([&](const QJsonObject& p) {
      const QJsonObject c = StudioDriver::find(p, "cells", "tensor", tensor);
      return c["format"] == c["source"];
    }));
    QCOMPARE(studio.complaints(), QString());
  }

 private:
  QTemporaryDir folder_;
};

QTEST_GUILESS_MAIN(RealDragTest)
#include "tst_real_drag.moc"
