// imatrix MODEL --text F -o OUT: an importance matrix from a calibration text.
#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/table.h"

namespace bitlens::cli {

namespace {

constexpr const char* kHelp =
    "The mean squared input of every column of every block's matrices over the text, at every position of "
    "every window.\n"
    "quantize, perplexity, sensitivity, predict and report take the file with --imatrix: searching encoders "
    "then make "
    "columns "
    "with large\n"
    "inputs more exact. llama-quantize reads it as well. MODEL is best the one that will be quantized, "
    "before "
    "it is.\n"
    "A name ending in .dat gives the older format.\n"
    "\nJSON KEYS\n"
    "  path, bytes, sha256, format (gguf, dat), entries, windows, context, text, text_sha256, seconds; "
    "warnings";

struct Options {
  std::string model, text, output, format;
  std::uint32_t context = 0, windows = 0;
  bool process_output = false, force = false;
};

Result<Output> run(const Options& options, const Environment& environment) {
  const auto session = study::open_model(options.model);
  if (!session) return pass(session);
  if (!(*session)->model->llama()) return pass((*session)->model->llama());
  study::ImatrixRequest request;
  request.session = *session;
  request.path = options.output;
  request.force = options.force;
  request.output_matrix = options.process_output;
  request.options.context = options.context;
  request.options.windows = options.windows;
  using importance::ImatrixFormat;
  request.format = options.format.empty()    ? importance::imatrix_format_of(options.output)
                   : options.format == "dat" ? ImatrixFormat::Dat
                                             : ImatrixFormat::Gguf;
  const auto text = load_tokens(**session, options.text);
  if (!text) return pass(text);
  request.text = *text;
  const auto made = study::make_imatrix(request, environment.work);
  if (!made) return pass(made);

  Output out;
  out.warnings = (*session)->file().warnings();
  out.warnings.insert(out.warnings.end(), made->warnings.begin(), made->warnings.end());
  const char* format = request.format == ImatrixFormat::Dat ? "dat" : "gguf";
  out.json = {
      {"path", made->path},       {"bytes", made->bytes},        {"sha256", made->sha256},
      {"format", format},         {"entries", made->entries},    {"windows", made->windows},
      {"context", made->context}, {"text", (*text)->text->name}, {"text_sha256", (*text)->text->sha256},
      {"seconds", made->seconds}};
  Facts facts;
  facts.add("Written", fmt::format("{}, {}", printable(made->path, 1000), exact_bytes(made->bytes)));
  facts.add("SHA-256", made->sha256);
  facts.add("Entries", fmt::format("{} matrices", made->entries));
  facts.add("Text", fmt::format("{}: {} windows of {} tokens", printable((*text)->text->name), made->windows,
                                made->context));
  facts.add("Time", fmt::format("{:.2f} s", made->seconds));
  out.text = facts.render();
  return out;
}

}  // namespace

Command add_imatrix(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("imatrix", "Make an importance matrix from a calibration text");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  add_model(*app, options->model);
  app->add_option("--text", options->text, "Calibration text: a file, or \"sample-calibration\"")
      ->required()
      ->type_name("FILE");
  app->add_option("-o,--output", options->output, "File to write")->required()->type_name("OUT");
  app->add_option("--format", options->format, "gguf or dat (default: by the ending of OUT)")
      ->check(CLI::IsMember({"gguf", "dat"}))
      ->type_name("gguf|dat");
  app->add_option("--context", options->context,
                  "Tokens per window (default: 512, or the model's own if less)")
      ->check(CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()))
      ->type_name("N");
  app->add_option("--windows", options->windows, "Use at most N windows from the start of the text (0: all)")
      ->type_name("N");
  app->add_flag("--process-output", options->process_output, "An entry for the output matrix too");
  app->add_flag("--force", options->force, "Replace an existing output (never an input)");
  return {app, [options](const Environment& environment) { return run(*options, environment); }};
}

}  // namespace bitlens::cli
