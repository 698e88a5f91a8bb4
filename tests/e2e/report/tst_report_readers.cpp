// A report seen from outside: h5py and xarray (both engines) open every group and see the numbers that were
// written.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QtTest>
#include <cmath>

#include "../../unit/report/sample_report.h"

using namespace bitlens;

namespace {

QJsonValue json(double value) {
  return std::isnan(value) ? QJsonValue() : QJsonValue(value);
}
QJsonValue json(float value) {
  return json(static_cast<double>(value));
}
QJsonValue json(const std::string& value) {
  return QString::fromStdString(value);
}
QJsonValue json(std::uint64_t value) {
  return QJsonValue(static_cast<qint64>(value));
}
QJsonValue json(int value) {
  return value;
}

template <typename T>
QJsonArray array(const std::vector<T>& values) {
  QJsonArray out;
  for (const T& value : values) out.append(json(value));
  return out;
}

QJsonObject variable(const QStringList& dims, const QJsonArray& values) {
  return {{"dims", QJsonArray::fromStringList(dims)}, {"values", values}};
}

/// What is expected of each group: enough of it to catch a swapped, shifted or rounded number.
QJsonObject expectations(const report::ReportInput& input) {
  const auto per_tensor = [&](const auto& get) {
    QJsonArray out;
    for (std::size_t t = 0; t < input.tensors.size(); ++t) out.append(json(get(t)));
    return variable({"tensor"}, out);
  };
  const auto per_row = [&](const auto& get) {
    QJsonArray out;
    for (const auto& row : input.measurements) out.append(json(get(row)));
    return variable({"measurement"}, out);
  };
  const QJsonObject names = per_tensor([&](std::size_t t) { return input.tensors[t].name; });
  QJsonObject groups;

  QJsonArray shape;
  for (const auto& tensor : input.tensors) {
    std::vector<std::uint64_t> lengths = tensor.shape;
    lengths.resize(4, 1);
    shape.append(array(lengths));
  }
  groups["model"] = QJsonObject{
      {"tensor", names},
      {"layer", per_tensor([&](std::size_t t) { return input.roles[t].layer; })},
      {"module",
       per_tensor([&](std::size_t t) { return std::string(model::module_name(input.roles[t].module)); })},
      {"bytes", per_tensor([&](std::size_t t) { return input.tensors[t].bytes; })},
      {"shape", QJsonObject{{"dims", QJsonArray{"tensor", "axis"}}, {"values", shape}}},
      {"metadata_value", variable({"metadata_key"}, {"llama", "[string x 40]", "a\\xFF z"})}};
  groups["recipe"] = QJsonObject{{"format", variable({"tensor"}, {"Q8_0", "F32", "F16"})},
                                 {"changed", variable({"tensor"}, {true, false, false})},
                                 {"rule", variable({"tensor"}, {1, 0, 0})},
                                 {"rule_tensor", variable({"rule_number"}, {"*embd*", "*none*"})},
                                 {"rule_format", variable({"rule_number"}, {"Q8_0", "keep"})}};
  groups["sizes"] =
      QJsonObject{{"bytes", per_tensor([&](std::size_t t) { return input.recipe->tensors[t].bytes; })},
                  {"bits_per_weight", variable({"tensor"}, {8.5, 32.0, 16.0})},
                  {"source_bits_per_weight", variable({"tensor"}, {32.0, 32.0, 16.0})}};

  const auto statistic = [&](const auto& all, auto member) {
    return per_tensor([&](std::size_t t) { return all[t] ? (all[t]->all).*member : std::nan(""); });
  };
  using S = analyze::Statistics;
  const auto statistics = [&](const auto& all) {
    return QJsonObject{
        {"tensor", names},
        {"min", statistic(all, &S::min)},
        {"sigma", statistic(all, &S::sigma)},
        {"excess_kurtosis", statistic(all, &S::excess_kurtosis)},
        {"dynamic_range", statistic(all, &S::dynamic_range)},
        {"outliers_6sigma", statistic(all, &S::outliers_6sigma)},
        {"zeros", per_tensor([&](std::size_t t) { return all[t] ? all[t]->all.zeros : std::uint64_t{0}; })}};
  };
  groups["weights"] = statistics(input.weights);
  QJsonObject activations = statistics(input.activations);
  activations["outliers_llm_int8"] = variable({"tensor"}, {QJsonValue(), QJsonValue(), 0.125});
  groups["activations"] = activations;

  const auto histograms = [&](const auto& all) {
    QJsonArray counts;
    for (const auto& one : all)
      counts.append(array(one ? one->histogram.counts : std::vector<std::uint64_t>(analyze::kHistogramBins)));
    return QJsonObject{
        {"linear_count", QJsonObject{{"dims", QJsonArray{"tensor", "bin"}}, {"values", counts}}},
        {"log_low",
         per_tensor([&](std::size_t t) { return all[t] ? all[t]->log_histogram.low : std::nan(""); })},
        {"log_above",
         per_tensor([&](std::size_t t) { return all[t] ? all[t]->log_histogram.above : std::uint64_t{0}; })}};
  };
  groups["histograms"] = histograms(input.weights);
  groups["activation_histograms"] = histograms(input.activations);

  std::vector<float> sigma;
  for (const auto& one : input.weights)
    if (one) sigma.insert(sigma.end(), one->channels.output_sigma.begin(), one->channels.output_sigma.end());
  groups["weight_channels"] = QJsonObject{{"output_sigma", variable({"output_channel"}, array(sigma))},
                                          {"input_channels", variable({"tensor"}, {64, 0, 172})}};
  groups["activation_channels"] =
      QJsonObject{{"input_energy", variable({"input_channel"}, array(input.activations[2]->energy))}};

  using R = report::MeasurementRow;
  const auto compared = [&](auto member) {
    return per_row([&](const R& row) {
      return row.measurement.comparison ? (*row.measurement.comparison).*member : std::nan("");
    });
  };
  using C = evaluate::Comparison;
  groups["measurements"] = QJsonObject{
      {"measurement", per_row([](const R& row) { return row.name; })},
      {"ppl", per_row([](const R& row) { return row.measurement.perplexity.ppl; })},
      {"nll_se", per_row([](const R& row) { return row.measurement.perplexity.nll_se; })},
      {"kl_mean", compared(&C::kl_mean)},
      {"kl_p99", compared(&C::kl_p99)},
      {"ln_ratio", compared(&C::ln_ratio)},
      {"top1_agreement", compared(&C::top1_agreement)},
      {"seconds", per_row([](const R& row) { return row.measurement.seconds; })},
      {"scored_tokens", per_row([](const R& row) { return row.measurement.perplexity.scored_tokens; })},
      {"file_bytes", per_row([](const R& row) { return row.file_bytes; })},
      {"recipe", per_row([](const R& row) { return row.recipe_json; })},
      {"activations", variable({"measurement"}, {"exact", "q8"})},
      {"text_name", per_row([](const R& row) { return row.provenance.text_name; })}};
  std::vector<float> nll;
  for (const auto& row : input.measurements)
    nll.insert(nll.end(), row.measurement.token_nll.begin(), row.measurement.token_nll.end());
  groups["tokens"] = QJsonObject{{"nll", variable({"token"}, array(nll))}};

  // Sweeps: [method][layer][module][format] of the two matrices, which differ in layer and in module.
  const auto cells = [&](auto member) {
    QJsonArray methods;
    for (const auto* sweep : {&input.sensitivities[0], &input.sensitivities[1]}) {
      QJsonArray layers;
      for (const std::size_t layer : {0U, 1U}) {
        QJsonArray modules;
        for (const std::size_t module : {0U, 1U}) {
          QJsonArray formats;
          for (const std::size_t format : {0U, 1U})
            formats.append(layer == module ? json(sweep->cells[layer * 2 + format].*member)
                           : std::is_same_v<decltype(member), double sensitivity::CellRecord::*>
                               ? QJsonValue()
                               : QJsonValue(0));
          modules.append(formats);
        }
        layers.append(modules);
      }
      methods.append(layers);
    }
    return QJsonObject{{"dims", QJsonArray{"method", "layer", "module", "format"}}, {"values", methods}};
  };
  using Cell = sensitivity::CellRecord;
  groups["sensitivity"] = QJsonObject{
      {"method", variable({"method"}, {"response", "measured"})},
      {"source", variable({"method"}, {"predicted", "measured"})},
      {"layer", variable({"layer"}, {-1, input.roles[2].layer})},
      {"module", variable({"module"}, array(std::vector<std::string>{
                                          std::string(model::module_name(input.roles[0].module)),
                                          std::string(model::module_name(input.roles[2].module))}))},
      {"format", variable({"format"}, {"Q8_0", "Q4_0"})},
      {"kl_mean", cells(&Cell::kl_mean)},
      {"kl_se", cells(&Cell::kl_se)},
      {"dnll_mean", cells(&Cell::dnll_mean)},
      {"kl_p99", cells(&Cell::kl_p99)},
      {"samples", cells(&Cell::samples)},
      {"scored_tokens", cells(&Cell::scored_tokens)},
      {"positions", variable({"method"}, {31, 0})},
      {"text_name", variable({"method"}, {"held out.txt", "held out.txt"})}};
  const auto& joint = input.sensitivities[2].cells;
  QJsonArray joint_kl, joint_adaptive;
  joint_kl.append(array(std::vector<double>{joint[0].kl_mean, joint[1].kl_mean}));
  joint_adaptive.append(QJsonArray{false, true});
  groups["sensitivity_groups"] = QJsonObject{{"group", variable({"group"}, {"attn_v"})},
                                             {"grouping", variable({"group"}, {"module"})},
                                             {"kl_mean", variable({"group", "format"}, joint_kl)},
                                             {"adaptive", variable({"group", "format"}, joint_adaptive)}};
  QJsonArray responses, windows;
  for (const Cell& cell : input.sensitivities[0].cells) responses.append(array(cell.response));
  for (const std::size_t sweep : {1U, 2U})
    for (const Cell& cell : input.sensitivities[sweep].cells) windows.append(array(cell.window_kl));
  const std::string &first = input.tensors[0].name, &second = input.tensors[2].name;
  groups["sensitivity_responses"] = QJsonObject{
      {"response", variable({"cell", "sample"}, responses)},
      {"cell_tensor", variable({"cell"}, array(std::vector<std::string>{first, first, second, second}))}};
  groups["sensitivity_windows"] = QJsonObject{{"window_kl", variable({"cell", "window"}, windows)}};
  return groups;
}

}  // namespace

class TestReportReaders : public QObject {
  Q_OBJECT

  static QString run(const QStringList& arguments, int& status) {
    QProcess python;
    python.setProcessChannelMode(QProcess::MergedChannels);
    python.start("/usr/bin/python3", arguments);
    if (!python.waitForFinished(100000))
      status = -1;
    else
      status = python.exitStatus() == QProcess::NormalExit ? python.exitCode() : -2;
    return QString::fromUtf8(python.readAll());
  }

 private slots:
  void initTestCase() {
    int status = 0;
    if (run({"-c", "import h5py, xarray, h5netcdf, netCDF4"}, status); status != 0)
      QSKIP("needs python3-h5py, python3-xarray, python3-h5netcdf and python3-netcdf4");
  }

  void h5py_and_xarray_see_what_was_written_data() {
    QTest::addColumn<bool>("everything");
    QTest::newRow("everything") << true;
    QTest::newRow("a model alone") << false;
  }
  void h5py_and_xarray_see_what_was_written() {
    QFETCH(bool, everything);
    auto input = sample_report();
    QJsonObject expectation = expectations(input);
    if (!everything) {  // empty dimensions: no rule, no metadata
      input.recipe.reset();
      input.metadata.clear();
      input.weights.clear();
      input.activations.clear();
      input.measurements.clear();
      input.sensitivities.clear();
      expectation = {{"model", QJsonObject{{"metadata_value", variable({"metadata_key"}, {})}}},
                     {"recipe", QJsonObject{{"format", variable({"tensor"}, {"F32", "F32", "F16"})},
                                            {"rule_tensor", variable({"rule_number"}, {})}}},
                     {"sizes", QJsonObject{{"bits_per_weight", variable({"tensor"}, {32.0, 32.0, 16.0})}}}};
    }
    QTemporaryDir folder;
    const QString path = folder.filePath("report.h5");
    const auto written = report::write_hdf5(input, path.toStdString(), false);
    QVERIFY2(written.has_value(), written ? "" : written.error().describe().c_str());
    QFile expected(folder.filePath("expected.json"));
    QVERIFY(expected.open(QIODevice::WriteOnly));
    expected.write(QJsonDocument(expectation).toJson());
    expected.close();
    int status = 0;
    const QString output = run({READER_SCRIPT, path, expected.fileName()}, status);
    QVERIFY2(status == 0, qPrintable(output));
    QVERIFY2(output.contains(QString("%1 groups").arg(expectation.size())), qPrintable(output));
  }
};

QTEST_GUILESS_MAIN(TestReportReaders)
#include "tst_report_readers.moc"
