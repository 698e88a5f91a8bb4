// bitlens-cli: parses the command line, runs one command, writes its result to stdout and everything else to
// stderr.
#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "app/cli/command.h"
#include "app/cli/exit_code.h"
#include "app/cli/progress.h"
#include "core/base/posix_file.h"
#include "core/study/result_json.h"
#include "core/study/session.h"

namespace {

using namespace bitlens;
using namespace bitlens::cli;

constexpr const char* kDescription =
    "Bitlens measures what precision costs in a language model, and quantizes models by recipe.\n"
    "The desktop studio (bitlens) gives the same numbers from the same recipes.\n";

constexpr const char* kFooter =
    "\nEXAMPLES\n"
    "  bitlens-cli tour                                     a first look, on the model that comes with "
    "Bitlens\n"
    "  bitlens-cli inspect model.gguf\n"
    "  bitlens-cli perplexity model.gguf --text wiki.txt --recipe recipe.json --windows 20\n"
    "  bitlens-cli quantize model.gguf --recipe recipe.json -o small.gguf --text wiki.txt\n"
    "  bitlens-cli tasks sample --recipe Q4_0\n"
    "  bitlens-cli imatrix model.gguf --text calibration.txt -o model.imatrix.gguf\n"
    "  bitlens-cli quantize model.gguf --recipe recipe.json --imatrix model.imatrix.gguf -o small.gguf\n"
    "  bitlens-cli perplexity small.gguf --text wiki.txt --base model.gguf --json\n"
    "\nRECIPES\n"
    "  {\"bitlens_recipe\": 1, \"name\": \"mixed\", \"default\": \"Q4_0\",\n"
    "   \"rules\": [{\"tensor\": \"*attn_v.weight\", \"format\": \"Q8_0\"},\n"
    "             {\"tensor\": \"token_embd.weight\", \"format\": \"keep\"}]}\n"
    "  Rules are tried in order, the first match wins; * matches any characters, dots too, ? one. Norms and\n"
    "  one-dimensional tensors stay as they are unless a rule names them after its last wildcard.\n"
    "  A rule may carry \"quantizer\": \"rtn\" or \"search\", and \"why\": a remark.\n"
    "  Instead of a file: the name of a format (Q4_0) for every matrix, or of a scheme (Q4_K_M), a mixture "
    "of\n"
    "  formats as llama-quantize makes it; field:Q2_K where both have the name. recipe --list shows the "
    "schemes.\n"
    "  --tensor-type PATTERN=TYPE and --tensor-type-file put rules in front, as llama-quantize understands "
    "them.\n"
    "\nOUTPUT\n"
    "  stdout holds the result alone; with --json one JSON object whose keys are listed in each command's "
    "--help.\n"
    "  Numbers in JSON read back as the same double; NaN and infinity are null. Warnings (\"warning: ...\") "
    "and\n"
    "  progress (on a terminal only) go to stderr; warnings are also in the JSON as \"warnings\".\n"
    "  MODEL and texts: a path, or \"sample\" (texts also \"sample-calibration\").\n\n";

int fail_with(const std::string& message, int code) {
  fmt::print(stderr, "error: {}\n", message);
  return code;
}

/// Writes all of it and sees to it that it arrived: a full disk or a closed pipe is an error, not a shorter
/// result.
Status write_stdout(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return {};
  return fail_errno(errno, "write the result", "standard output");
}

struct Common {
  bool json = false;
  int threads = 0;
};

void add_common(CLI::App& app, Common& common) {
  app.add_flag("--json", common.json, "Write the result as one JSON object");
  app.add_option("--threads", common.threads,
                 "Threads to work with (0: one per processor); no effect on any number")
      ->check(CLI::Range(0, 1024))
      ->type_name("N");
}

Result<Output> run_guarded(const Command& command, const Environment& environment) {
  try {
    return command.body(environment);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory");
  }
}

int run(const Command& command, const Common& common) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe and a file size limit become errors of the write
  std::signal(SIGXFSZ, SIG_IGN);
  const InterruptWatcher interrupts;  // before the pool, whose threads inherit the signal mask
  ThreadPool pool(common.threads);
  TerminalProgress progress;
  const WorkContext work{pool, interrupts.token(), [&](const Progress& p) { progress.report(p); }};
  const Environment environment{work, common.json, [&](std::string_view text) {
                                  progress.clear();
                                  return write_stdout(text);
                                }};
  auto output = run_guarded(command, environment);
  progress.clear();
  if (!output) {
    const bool exists = output.error().code == ErrorCode::Exists;
    return fail_with(output.error().describe() + (exists ? "; --force replaces it" : ""),
                     exit_code(output.error().code));
  }

  for (const std::string& warning : output->warnings)
    fmt::print(stderr, "warning: {}\n", printable(warning, 2000));
  std::string text = std::move(output->text);
  if (common.json) {
    auto& warnings = output->json["warnings"] = nlohmann::ordered_json::array();
    for (const std::string& warning : output->warnings) warnings.push_back(warning);
    text = study::dump(output->json);
  }
  if (const Status written = write_stdout(text); !written)
    return fail_with(written.error().describe(), exit_code(written.error().code));
  return 0;
}

int run_command_line(int argc, char** argv) {
  if (const Status known = study::limit_instruction_set(std::getenv(study::kInstructionsVariable)); !known)
    return fail_with(known.error().describe(), exit_code(known.error().code));
  CLI::App app(kDescription, "bitlens-cli");
  app.footer(std::string(kFooter) + kExitCodeHelp);
  app.set_version_flag("--version", study::program_info().version, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit; COMMAND --help tells more");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.failure_message([](const CLI::App*, const CLI::Error& error) { return std::string(error.what()); });

  Common common;
  const Command commands[] = {add_inspect(app),  add_tokenize(app), add_stats(app),       add_perplexity(app),
                              add_quantize(app), add_report(app),   add_sensitivity(app), add_predict(app),
                              add_imatrix(app),  add_recipe(app),   add_formats(app),     add_tasks(app),
                              add_tour(app)};
  for (const Command& command : commands) {
    add_common(*command.app, common);
    command.app->footer("\n" + command.app->get_footer());
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    std::ostringstream text, unused;
    app.exit(asked, text, unused);
    const Status written = write_stdout(text.str());
    return written ? 0 : fail_with(written.error().describe(), exit_code(written.error().code));
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    const std::string help =
        chosen.empty() ? "bitlens-cli --help" : "bitlens-cli " + chosen[0]->get_name() + " --help";
    // The parser would only say that a command is missing.
    const bool unknown = chosen.empty() && argc > 1 && argv[1][0] != '-';
    const std::string what = unknown ? fmt::format("unknown command \"{}\"", argv[1]) : error.what();
    return fail_with(fmt::format("{}; see {}", printable(what, 500), help),
                     exit_code(ErrorCode::InvalidArgument));
  }
  for (const Command& command : commands)
    if (command.app->parsed()) return run(command, common);
  return kInternalError;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_command_line(argc, argv);
  } catch (const std::bad_alloc&) {
    return fail_with("not enough memory", exit_code(ErrorCode::Memory));
  } catch (const std::exception& error) {
    return fail_with(fmt::format("internal error: {}", printable(error.what(), 500)), kInternalError);
  }
}
