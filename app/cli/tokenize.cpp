// tokenize MODEL --text F: token ids of a text under a file's own tokenizer.
#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "core/study/session.h"

namespace bitlens::cli {

namespace {

constexpr const char* kHelp =
    "The text is taken as it is: no newline is stripped, control tokens written in it are not parsed. BOS "
    "comes first\n"
    "if the model adds it. Works on vocabulary-only files of any architecture too. Plain output: one id per "
    "line.\n"
    "\nJSON KEYS\n"
    "  ids [..], count, bos_added, tokenizer, text, text_sha256; warnings";

struct Options {
  std::string model, text;
  bool no_bos = false;
};

Result<Output> run(const Options& options, const Environment& environment) {
  const auto tokenizer = study::open_tokenizer(options.model);
  if (!tokenizer) return pass(tokenizer);
  const auto text = study::load_text(options.text);
  if (!text) return pass(text);
  auto ids = (*tokenizer)->encode((*text)->content);
  if (!ids) {
    Error error = ids.error();
    if (error.where.file.empty()) error.where.file = (*text)->path;
    return tl::unexpected<Error>(std::move(error));
  }
  const auto bos = (*tokenizer)->bos();
  const bool add_bos = !options.no_bos && (*tokenizer)->adds_bos() && bos.has_value();

  Output out;
  out.warnings = (*tokenizer)->warnings();
  if (environment.json) {
    auto& list = out.json["ids"] = nlohmann::ordered_json::array();
    if (add_bos) list.push_back(*bos);
    for (const auto id : *ids) list.push_back(id);
    out.json["count"] = list.size();
    out.json["bos_added"] = add_bos;
    out.json["tokenizer"] = (*tokenizer)->description();
    out.json["text"] = (*text)->name;
    out.json["text_sha256"] = (*text)->sha256;
  } else {
    if (add_bos) out.text += fmt::format("{}\n", *bos);
    for (const auto id : *ids) out.text += fmt::format("{}\n", id);
  }
  return out;
}

}  // namespace

Command add_tokenize(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("tokenize", "Print the token ids of a text");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  add_model(*app, options->model);
  app->add_option("--text", options->text, "Text file, or \"sample\"")->required()->type_name("FILE");
  app->add_flag("--no-bos", options->no_bos, "Do not put BOS first, whatever the model says");
  return {app, [options](const Environment& environment) { return run(*options, environment); }};
}

}  // namespace bitlens::cli
