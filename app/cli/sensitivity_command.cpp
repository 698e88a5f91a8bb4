// sensitivity MODEL --text F --formats A,B -o OUT.json: what each tensor costs at each format, measured or
// predicted.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/table.h"
#include "core/study/result_json.h"
#include "core/study/sensitivity.h"

namespace bitlens::cli {

namespace {

using sensitivity::CellRecord;
using sensitivity::Method;

constexpr const char* kHelp =
    "A cell is one tensor (or group) changed to one format, everything else as it is. Cells a shape cannot "
    "take are\n"
    "listed as skipped. While it runs, finished cells are kept in a journal beside the output (its name and "
    ".journal);\n"
    "after a crash or Ctrl-C, --resume goes on from there, also for more formats or more samples. It is "
    "removed "
    "when\n"
    "the output is written. predict reads JSON and journals; HDF5 is for other tools.\n"
    "\nMETHODS\n"
    "  measured         KL and NLL at the output with only the cell changed: exact, minutes\n"
    "  response         KL predicted from --samples backward passes, in nats with an error bar: seconds; "
    "lets\n"
    "                   predict say what tensors cost together\n"
    "  fisher           KL predicted from the diagonal of the Fisher matrix, nats\n"
    "  energy           squared weight error, weighted by the energy of the inputs\n"
    "  energy-shift     the same with the shift of the outputs' mean\n"
    "  rounding         relative RMS error of the weights\n"
    "  activation-rule  how far the inputs are beyond rules of thumb (6 sigma share > 0.01, range > 100)\n"
    "  hessian-trace    mean trace of the inputs' Hessian times the squared weight error\n"
    "  Only the first three are in nats; of the others, the order alone means something.\n"
    "  --adaptive predicts all cells first (--samples). Cells whose prediction has an error too small to "
    "matter stay\n"
    "  predicted; the others are measured, the most informative first, and a cell's windows stop early: what "
    "those left\n"
    "  out would add is made up for by the predictions.\n"
    "  --compute fast suits predictions. Measured cells then start at about the KL of Q8_0: inputs that "
    "changed "
    "a\n"
    "  little are rounded anew, in every layer.\n"
    "\nJSON KEYS (also those of OUT.json)\n"
    "  bitlens_sensitivity: 1\n"
    "  cells [{tensor, format, quantizer, source (measured, predicted), method, kl_mean, kl_se, dnll_mean, "
    "dnll_se,\n"
    "          seconds; measured: kl_median, kl_p99, kl_max, top1_agreement, scored_tokens, windows, "
    "window_kl "
    "[one\n"
    "          per window], adaptive; response: samples, response [one number per sample], text_response}]\n"
    "  skipped [{tensor, format, reason}]; positions (scored tokens behind a sample); grouping; provenance; "
    "warnings\n"
    "  with --json also resumed (cells from the journal), and the responses are left out";

struct Options {
  std::string model, text, output, method = "measured", tensors = "*", group = "tensor", quantizer = "search",
                                   imatrix;
  std::vector<std::string> formats;
  MeasureOptions measure;
  std::uint64_t samples = 224, seed = 1;
  bool adaptive = false, resume = false, force = false;
};

Result<std::vector<kernels::Format>> formats_of(const std::vector<std::string>& names) {
  std::vector<kernels::Format> out;
  for (const std::string& name : names) {
    const kernels::FormatInfo* format = kernels::find_format(std::string_view(name));
    if (format == nullptr)
      return fail(ErrorCode::InvalidArgument, fmt::format("unknown format \"{}\"", printable(name, 80)));
    if (std::ranges::find(out, format->format) == out.end()) out.push_back(format->format);
  }
  return out;
}

sensitivity::Grouping grouping_of(const std::string& name) {
  using sensitivity::Grouping;
  if (name == "fused") return Grouping::Fused;
  if (name == "module") return Grouping::Module;
  if (name == "layer") return Grouping::Layer;
  return name == "all" ? Grouping::All : Grouping::Tensor;
}

Method method_of(const std::string& name) {
  for (const Method method : sensitivity::kMethods)
    if (name == sensitivity::method_name(method)) return method;
  return Method::Measured;
}

std::string result_text(const study::SensitivityResult& result, const std::string& path) {
  constexpr std::size_t kMost = 40;
  std::vector<std::size_t> order(result.cells.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // NaN last; a comparison with it would not be an order.
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) {
    const double kl = result.cells[i].kl_mean;
    return std::isnan(kl) ? -1.0 : kl;
  });
  Table table({{"Tensor"},
               {"Format"},
               {"KL", Align::Right},
               {"+-", Align::Right},
               {"dNLL", Align::Right},
               {"+-", Align::Right}});
  for (std::size_t i = 0; i < std::min(kMost, order.size()); ++i) {
    const CellRecord& cell = result.cells[order[i]];
    table.add({printable(cell.tensor, 80), std::string(kernels::info(cell.format).name), number(cell.kl_mean),
               number(cell.kl_se), number(cell.dnll_mean), number(cell.dnll_se)});
  }
  std::string out = table.render();
  if (order.size() > kMost) out += fmt::format("... and {} more, less sensitive\n", order.size() - kMost);
  out += "\n";
  Facts facts;
  const auto measured =
      static_cast<std::size_t>(std::ranges::count(result.cells, Method::Measured, &CellRecord::method));
  if (measured != 0 && measured != result.cells.size())
    facts.add("Method",
              fmt::format("{} measured; {} left to predictions, whose errors are too small to matter",
                          measured, result.cells.size() - measured));
  else if (!result.cells.empty())
    facts.add("Method", fmt::format("{} ({})", sensitivity::method_name(result.cells.front().method),
                                    sensitivity::source_name(result.cells.front().method)));
  const study::Provenance& from = result.provenance;
  facts.add("Protocol",
            fmt::format("{}: {} windows of {} tokens, {} scored; activations {}; quantizer {}", from.protocol,
                        from.windows, from.context, from.scored_tokens, from.activations, from.quantizer));
  facts.add("Cells", fmt::format("{}, {} of them from the journal", result.cells.size(), result.resumed));
  if (!result.skipped.empty())
    facts.add("Skipped", fmt::format("{}, the first: {} {}: {}", result.skipped.size(),
                                     printable(result.skipped.front().name, 80),
                                     kernels::info(result.skipped.front().format).name,
                                     printable(result.skipped.front().reason, 200)));
  facts.add("Written", printable(path, 1000));
  return out + facts.render();
}

/// The model, its sizes and the sweep; then the journal is no longer needed.
Status write_hdf5(const std::shared_ptr<const study::ModelSession>& session,
                  const study::SensitivityResult& result, const Options& options, const std::string& journal,
                  const WorkContext& work) {
  study::ReportRequest request;
  request.session = session;
  request.path = options.output;
  request.force = options.force;
  const study::SweepReport sweeps{{std::make_shared<const study::SensitivityResult>(result)}, false};
  if (auto s = study::write_report(request, sweeps, work); !s) return s;
  std::error_code error;
  std::filesystem::remove(journal, error);
  if (error) return fail(ErrorCode::Io, "cannot remove the journal: " + error.message(), {journal, {}, {}});
  return {};
}

Result<Output> run(const Options& options, const Environment& environment) {
  const auto session = study::open_model(options.model);
  if (!session) return pass(session);
  auto formats = formats_of(options.formats);
  if (!formats) return pass(formats);
  const std::string ending = std::filesystem::path(options.output).extension().string();
  const bool hdf5 = ending == ".h5" || ending == ".hdf5";
  if (!hdf5 && ending != ".json")
    return fail(ErrorCode::Unsupported, "give a name that ends in .json or .h5", {options.output, {}, {}});
  if (options.adaptive && method_of(options.method) != Method::Measured)
    return fail(ErrorCode::InvalidArgument, "--adaptive is for --method measured");
  if (!(*session)->model->llama()) return pass((*session)->model->llama());
  auto importance = quantize::ImportancePtr();
  if (!options.imatrix.empty()) {
    auto loaded = study::load_importance(options.imatrix, **session);
    if (!loaded) return pass(loaded);
    importance = std::move(*loaded);
  }
  const auto text = load_tokens(**session, options.text);
  if (!text) return pass(text);
  std::vector<std::string> inputs = {(*text)->text->path};
  if (importance) inputs.push_back(options.imatrix);
  if (const Status usable = study::check_output(**session, options.output, options.force, inputs); !usable)
    return pass(usable);

  study::SensitivityRequest request;
  request.session = *session;
  request.text = *text;
  request.options = options.measure.resolved();
  request.quantizer = quantizer_of(options.quantizer);
  request.importance = importance;
  request.formats = std::move(*formats);
  request.tensor_glob = options.tensors;
  request.grouping = grouping_of(options.group);
  request.method = method_of(options.method);
  request.samples = options.samples;
  request.seed = options.seed;
  request.adaptive = options.adaptive;
  request.journal = study::sensitivity_journal_path(options.output);
  request.resume = options.resume;
  const auto result = study::run_sensitivity(request, {}, environment.work);
  if (!result) return pass(result);
  const Status saved = hdf5
                           ? write_hdf5(*session, *result, options, request.journal, environment.work)
                           : study::save_sensitivity(*result, options.output, options.force, request.journal);
  if (!saved) return pass(saved);

  Output out;
  out.warnings = (*session)->file().warnings();
  out.warnings.insert(out.warnings.end(), result->warnings.begin(), result->warnings.end());
  if (!environment.json) {
    out.text = result_text(*result, options.output);
    return out;
  }
  study::SensitivityResult shown = *result;
  for (CellRecord& cell : shown.cells) {
    cell.response.clear();
    cell.text_response.clear();
  }
  out.json = nlohmann::ordered_json::parse(study::sensitivity_to_json(shown));
  out.json["resumed"] = result->resumed;
  return out;
}

}  // namespace

Command add_sensitivity(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("sensitivity", "Find what each tensor costs at each format");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  add_model(*app, options->model);
  app->add_option("--text", options->text, "Text to measure on: a file, or \"sample\"")
      ->required()
      ->type_name("FILE");
  app->add_option("--formats", options->formats, "Formats, separated by commas")
      ->required()
      ->delimiter(',')
      ->type_name("A,B,..");
  app->add_option("-o,--output", options->output, "File to write: JSON, or HDF5 for h5py and xarray")
      ->required()
      ->type_name("OUT.json|OUT.h5");
  std::vector<std::string> methods;
  for (const Method method : sensitivity::kMethods) methods.emplace_back(sensitivity::method_name(method));
  app->add_option("--method", options->method, "How; see METHODS")
      ->check(CLI::IsMember(methods))
      ->capture_default_str()
      ->type_name("METHOD");
  app->add_option("--tensor", options->tensors, "Only matrices whose names match: * any characters, ? one")
      ->capture_default_str()
      ->type_name("GLOB");
  app->add_option("--group", options->group,
                  "Change together: a tensor, fused q/k/v and gate/up, a kind in all layers, a layer, all")
      ->check(CLI::IsMember({"tensor", "fused", "module", "layer", "all"}))
      ->capture_default_str()
      ->type_name("tensor|fused|module|layer|all");
  app->add_option("--samples", options->samples, "response, fisher: at least so many samples")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1000000}))
      ->capture_default_str()
      ->type_name("K");
  app->add_option("--seed", options->seed, "response, fisher: seed of the labels drawn")
      ->capture_default_str()
      ->type_name("N");
  add_measure_options(*app, options->measure);
  add_compute_option(*app, options->measure.compute);
  add_quantizer(*app, options->quantizer);
  add_imatrix_option(*app, options->imatrix);
  app->add_flag("--adaptive", options->adaptive,
                "measured: add windows to a cell until its error is a tenth of it or too small to matter");
  app->add_flag("--resume", options->resume, "Go on from the journal beside the output");
  app->add_flag("--force", options->force, "Replace an existing output (never an input)");
  return {app, [options](const Environment& environment) { return run(*options, environment); }};
}

}  // namespace bitlens::cli
