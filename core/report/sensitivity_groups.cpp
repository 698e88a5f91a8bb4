// Groups /sensitivity (single tensors: method, layer, module, format), /sensitivity_groups (tensors changed
// together), /sensitivity_responses (a value per cell and sample) and /sensitivity_windows (where in the text
// it comes from).
#include <algorithm>
#include <limits>
#include <map>

#include "core/report/groups.h"

namespace bitlens::report {

namespace {

using sensitivity::CellRecord;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kOutside = "layer of the model; -1: outside the layers";

struct Number {
  const char *name, *long_name, *units;
  double CellRecord::*member;
};
constexpr Number kNumbers[] = {
    {"kl_mean",
     "mean KL divergence model || model with the cell changed, per scored token (measured, response, fisher: "
     "nat; "
     "other methods: a score without unit)",
     "nat", &CellRecord::kl_mean},
    {"kl_se", "standard error of kl_mean", "nat", &CellRecord::kl_se},
    {"dnll_mean", "mean paired difference of the negative log-likelihood", "nat", &CellRecord::dnll_mean},
    {"dnll_se", "standard error of dnll_mean", "nat", &CellRecord::dnll_se},
    {"kl_median", "median KL divergence; measured cells", "nat", &CellRecord::kl_median},
    {"kl_p99", "99th percentile of the KL divergence; measured cells", "nat", &CellRecord::kl_p99},
    {"kl_max", "largest KL divergence; measured cells", "nat", &CellRecord::kl_max},
    {"top1_agreement", "share of tokens with the same most probable token; measured cells", "1",
     &CellRecord::top1_agreement},
};
struct Count {
  const char *name, *long_name;
  std::uint64_t CellRecord::*member;
};
constexpr Count kCounts[] = {
    {"scored_tokens", "tokens behind a measured value", &CellRecord::scored_tokens},
    {"windows", "windows behind a measured value", &CellRecord::windows},
    {"samples", "samples behind a predicted value", &CellRecord::samples},
};

/// All records of one kind, each with the sweep it is from.
struct Entry {
  const CellRecord* record;
  const SensitivitySweep* sweep;
};

std::vector<Entry> entries_of(const ReportInput& input, bool groups) {
  std::vector<Entry> out;
  for (const SensitivitySweep& sweep : input.sensitivities)
    if ((sweep.grouping != "tensor") == groups)
      for (const CellRecord& record : sweep.cells) out.push_back({&record, &sweep});
  return out;
}

template <typename T>
std::size_t place(std::vector<T>& list, const T& value) {
  const auto found = std::ranges::find(list, value);
  if (found != list.end()) return static_cast<std::size_t>(found - list.begin());
  list.push_back(value);
  return list.size() - 1;
}

/// Where the sweep of each method comes from, over the dimension "method".
void write_provenance(Hdf5File& file, const std::vector<const SensitivitySweep*>& sweeps,
                      const std::vector<std::string>& methods) {
  std::vector<std::string> sources;
  for (const std::string& method : methods)
    sources.emplace_back(method == sensitivity::method_name(sensitivity::Method::Measured) ? "measured"
                                                                                           : "predicted");
  file.variable("source", {"method"}, sources, {"measured or predicted"});
  const auto texts = [&](const char* name, const char* long_name, const auto& get) {
    std::vector<std::string> values;
    for (const SensitivitySweep* sweep : sweeps) values.push_back(get(*sweep));
    file.variable(name, {"method"}, values, {long_name});
  };
  const auto counts = [&](const char* name, const char* long_name, const auto& get) {
    std::vector<std::uint64_t> values;
    for (const SensitivitySweep* sweep : sweeps) values.push_back(get(*sweep));
    file.variable(name, {"method"}, values, {long_name});
  };
  texts("text_name", "evaluation text", [](const SensitivitySweep& s) { return s.provenance.text_name; });
  texts("text_sha256", "SHA-256 of the evaluation text",
        [](const SensitivitySweep& s) { return s.provenance.text_sha256; });
  texts("quantizer", "quantizer", [](const SensitivitySweep& s) { return s.provenance.quantizer; });
  texts("protocol", "perplexity protocol", [](const SensitivitySweep& s) { return s.protocol; });
  texts("activations", "precision of activations", [](const SensitivitySweep& s) { return s.activations; });
  texts("program", "program and version", [](const SensitivitySweep& s) { return s.provenance.program; });
  texts("time", "when the sweep was finished, ISO 8601 UTC",
        [](const SensitivitySweep& s) { return s.provenance.time; });
  counts("context", "tokens per window", [](const SensitivitySweep& s) { return s.context; });
  counts("text_windows", "windows of the text", [](const SensitivitySweep& s) { return s.windows; });
  counts("positions", "scored positions behind one sample; 0 for measured cells",
         [](const SensitivitySweep& s) { return s.positions; });
  counts("seed", "seed of the random numbers, 0: none used",
         [](const SensitivitySweep& s) { return s.provenance.seed; });
}

/// Arrays over `dimensions` filled at `at`, missing elsewhere.
void write_values(Hdf5File& file, const std::vector<Entry>& entries, const std::vector<std::size_t>& at,
                  std::size_t size, const std::vector<std::string>& dimensions) {
  for (const Number& number : kNumbers) {
    std::vector<double> values(size, kMissing);
    for (std::size_t i = 0; i < entries.size(); ++i) values[at[i]] = entries[i].record->*number.member;
    file.variable(number.name, dimensions, values, {number.long_name, number.units});
  }
  for (const Count& count : kCounts) {
    std::vector<std::uint64_t> values(size, 0);
    for (std::size_t i = 0; i < entries.size(); ++i) values[at[i]] = entries[i].record->*count.member;
    file.variable(count.name, dimensions, values, {count.long_name});
  }
  Flags adaptive;
  adaptive.values.assign(size, 0);
  for (std::size_t i = 0; i < entries.size(); ++i)
    adaptive.values[at[i]] = entries[i].record->adaptive ? 1 : 0;
  file.variable("adaptive", dimensions, adaptive,
                {"measured until the error was small enough, not on all windows"});
}

std::string format_name(const CellRecord& record) {
  return std::string(kernels::info(record.format).name);
}

void write_tensors(Hdf5File& file, const ReportInput& input, const std::vector<Entry>& all) {
  std::map<std::string_view, std::size_t> index;
  for (std::size_t t = 0; t < input.tensors.size(); ++t) index.emplace(input.tensors[t].name, t);
  std::vector<std::string> methods, modules, formats;
  std::vector<const SensitivitySweep*> sweeps;
  std::vector<std::int32_t> layers;
  std::vector<Entry> entries;
  struct Place {
    std::size_t method, module, format;
    std::int32_t layer;
  };
  std::vector<Place> places;
  for (const Entry& entry : all) {
    const auto found = index.find(entry.record->tensor);
    if (found == index.end()) continue;
    const model::TensorRole& role = input.roles[found->second];
    const std::size_t known = methods.size();
    const std::size_t method = place(methods, std::string(sensitivity::method_name(entry.record->method)));
    if (methods.size() > known) sweeps.push_back(entry.sweep);
    (void)place(layers, static_cast<std::int32_t>(role.layer));
    places.push_back({method, place(modules, std::string(model::module_name(role.module))),
                      place(formats, format_name(*entry.record)), static_cast<std::int32_t>(role.layer)});
    entries.push_back(entry);
  }
  if (entries.empty()) return;
  std::ranges::sort(layers);
  file.group(
      "sensitivity",
      {{"of", std::string("what each tensor alone costs at each format; NaN: not known or not possible")}});
  file.dimension("method", methods, {"how it was found"});
  file.dimension("layer", layers, {kOutside});
  file.dimension("module", modules, {"kind of tensor"});
  file.dimension("format", formats, {"format the tensor was changed to"});
  std::vector<std::size_t> at;
  for (const Place& p : places) {
    const auto layer = static_cast<std::size_t>(std::ranges::find(layers, p.layer) - layers.begin());
    at.push_back(((p.method * layers.size() + layer) * modules.size() + p.module) * formats.size() +
                 p.format);
  }
  write_values(file, entries, at, methods.size() * layers.size() * modules.size() * formats.size(),
               {"method", "layer", "module", "format"});
  write_provenance(file, sweeps, methods);
}

void write_joint(Hdf5File& file, const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  std::vector<std::string> names, formats;
  std::vector<std::string> grouping;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const Entry& entry : entries) {
    const std::size_t known = names.size();
    const std::size_t name = place(names, entry.record->tensor);
    if (names.size() > known) grouping.push_back(entry.sweep->grouping);
    places.emplace_back(name, place(formats, format_name(*entry.record)));
  }
  file.group("sensitivity_groups", {{"of", std::string("what tensors cost when they are changed together")}});
  file.dimension("group", names, {"name of the group: a kind of tensor, a layer, fused tensors, * for all"});
  file.dimension("format", formats, {"format the tensors were changed to"});
  file.variable("grouping", {"group"}, grouping, {"what is changed together: module, layer, fused, all"});
  std::vector<std::size_t> at;
  for (const auto& [name, format] : places) at.push_back(name * formats.size() + format);
  write_values(file, entries, at, names.size() * formats.size(), {"group", "format"});
}

/// One list of floats per cell, as a rectangle; short ones are filled up with NaN.
void write_lists(Hdf5File& file, const std::vector<Entry>& all, const char* group, const char* of,
                 const char* axis, const char* axis_text, const char* name, const char* text,
                 std::vector<float> CellRecord::*member) {
  std::vector<Entry> entries;
  std::size_t width = 0;
  for (const Entry& entry : all) {
    if ((entry.record->*member).empty()) continue;
    entries.push_back(entry);
    width = std::max(width, (entry.record->*member).size());
  }
  if (entries.empty()) return;
  std::vector<std::string> tensors, formats, methods;
  std::vector<std::int32_t> cells, columns;
  std::vector<float> values(entries.size() * width, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const CellRecord& record = *entries[i].record;
    cells.push_back(static_cast<std::int32_t>(i));
    tensors.push_back(record.tensor);
    formats.push_back(format_name(record));
    methods.emplace_back(sensitivity::method_name(record.method));
    std::ranges::copy(record.*member, values.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  for (std::size_t c = 0; c < width; ++c) columns.push_back(static_cast<std::int32_t>(c));
  file.group(group, {{"of", std::string(of)}});
  file.dimension("cell", cells, {"number of the cell"});
  file.dimension(axis, columns, {axis_text});
  file.variable("cell_tensor", {"cell"}, tensors, {"tensor or group of the cell"});
  file.variable("cell_format", {"cell"}, formats, {"format of the cell"});
  file.variable("cell_method", {"cell"}, methods, {"how it was found"});
  file.variable(name, {"cell", axis}, values, {text, "nat"});
}

}  // namespace

void write_sensitivity(Hdf5File& file, const ReportInput& input) {
  const std::vector<Entry> tensors = entries_of(input, false), groups = entries_of(input, true);
  write_tensors(file, input, tensors);
  write_joint(file, groups);
  write_lists(file, tensors, "sensitivity_responses",
              "change of the drawn labels' log-probability of each sample, to first order, with each cell",
              "sample", "draw x windows + window", "response",
              "response of the sample; KL per token = mean of response^2 / (2 x positions)",
              &CellRecord::response);
  std::vector<Entry> measured = tensors;
  measured.insert(measured.end(), groups.begin(), groups.end());
  write_lists(file, measured, "sensitivity_windows", "mean KL divergence of each window measured", "window",
              "window of the text", "window_kl", "mean KL divergence per scored token of the window",
              &CellRecord::window_kl);
}

}  // namespace bitlens::report
