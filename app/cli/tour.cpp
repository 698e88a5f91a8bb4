// tour [MODEL]: the first look: what is in the model, what a recipe would make of it, what that costs; each
// step with the command that does the same.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/cli/command.h"
#include "app/cli/measured_text.h"
#include "app/cli/options.h"
#include "app/cli/resolved_json.h"
#include "app/cli/table.h"
#include "core/study/result_json.h"

namespace bitlens::cli {

namespace {

using nlohmann::ordered_json;

constexpr const char* kHelp =
    "Takes under half a minute on the sample. Nothing is written.\n"
    "\nJSON KEYS\n"
    "  steps [{command, result}]; warnings";

constexpr std::uint32_t kContext = 128, kWindows = 8;  // short: a look, not a measurement to quote

/// Four bits wherever a matrix's shape allows it; what does not fit stays as it is.
quantize::Recipe tour_recipe(const io::ModelFile& file, const model::Model& model) {
  quantize::Recipe recipe;
  recipe.name = "Q4_0";
  recipe.fallback = kernels::Format::Q4_0;
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const io::TensorInfo& tensor = file.tensors()[i];
    if (model.role(i).is_matrix && !quantize::check_format(tensor, kernels::Format::Q4_0))
      recipe.rules.push_back({tensor.name, std::nullopt, std::nullopt});
  }
  return recipe;
}

class Tour {
 public:
  Tour(std::string model, const Environment& environment)
      : model_(std::move(model)), environment_(environment) {}

  Result<Output> run() {
    const auto session = study::open_model(model_);
    if (!session) return pass(session);
    out_.warnings = model_warnings(**session);
    out_.json["steps"] = ordered_json::array();
    if (const Status step = look(**session); !step) return pass(step);
    const quantize::Recipe recipe = tour_recipe((*session)->file(), *(*session)->model);
    if (const Status step = dry_run(**session, recipe); !step) return pass(step);
    if (const Status step = measure(*session, recipe); !step) return pass(step);
    if (const Status end =
            say("\nMore: bitlens-cli --help, bitlens-cli COMMAND --help, and the studio: bitlens\n");
        !end)
      return pass(end);
    return std::move(out_);
  }

 private:
  Status say(const std::string& text) { return environment_.json ? Status() : environment_.print(text); }

  Status begin(const std::string& title, const std::string& command) {
    out_.json["steps"].push_back({{"command", command}});
    return say(fmt::format("\n{}\n$ {}\n\n", title, command));
  }
  void result(ordered_json value) { out_.json["steps"].back()["result"] = std::move(value); }

  Status look(const study::ModelSession& session) {
    if (Status step = begin("1. What is in the model", fmt::format("bitlens-cli inspect {}", quoted(model_)));
        !step)
      return step;
    const model::Summary& summary = session.model->summary();
    Facts facts;
    facts.add("Model", fmt::format("{}, {}", printable(summary.name), printable(summary.architecture)));
    facts.add("Size", exact_bytes(session.file().file_bytes()));
    facts.add("Parameters", fmt::format("{} in {} tensors, {} layers", summary.parameters,
                                        session.file().tensors().size(), summary.layers));
    result({{"architecture", summary.architecture},
            {"name", summary.name},
            {"parameters", summary.parameters},
            {"layers", summary.layers},
            {"file_bytes", session.file().file_bytes()}});
    return say(facts.render());
  }

  Status dry_run(const study::ModelSession& session, const quantize::Recipe& recipe) {
    // A recipe with exceptions has to be a file; a plain one is named by its format.
    recipe_argument_ = recipe.rules.empty() ? "Q4_0" : "recipe.json";
    if (Status step = begin(
            "2. What a recipe would make of it (4 bits for every matrix that can have them)",
            fmt::format("bitlens-cli quantize {} --recipe {} --dry-run", quoted(model_), recipe_argument_));
        !step)
      return step;
    if (!recipe.rules.empty())
      if (Status shown = say("recipe.json:\n" + quantize::recipe_to_json(recipe) + "\n"); !shown)
        return shown;
    const auto resolved = quantize::resolve(recipe, session.file(), quantize::Quantizer::Search);
    if (!resolved) return pass(resolved);
    out_.warnings.insert(out_.warnings.end(), resolved->warnings.begin(), resolved->warnings.end());
    result({{"recipe", study::recipe_json(recipe)},
            {"file_bytes", resolved->file_bytes},
            {"bits_per_weight", resolved->bits_per_weight},
            {"tensors", choices_json(*resolved, session.file())}});
    Facts facts;
    facts.add("Before", exact_bytes(session.file().file_bytes()));
    facts.add("After", fmt::format("{}, {:.3f} bits per weight", exact_bytes(resolved->file_bytes),
                                   resolved->bits_per_weight));
    return say(changes_text(*resolved, session.file()) + "\n" + facts.render());
  }

  Status measure(const std::shared_ptr<const study::ModelSession>& session, const quantize::Recipe& recipe) {
    const auto& llama = session->model->llama();
    const std::uint32_t context = llama ? std::min(kContext, llama->context) : kContext;
    if (Status step =
            begin("3. What that costs, on a short text",
                  fmt::format("bitlens-cli perplexity {} --text sample --context {} --windows {} --recipe {}",
                              quoted(model_), context, kWindows, recipe_argument_));
        !step)
      return step;
    if (!llama) return skip(llama.error());
    const auto tokens = load_tokens(*session, "sample");
    if (!tokens) return skip(tokens.error());
    study::MeasureRequest request{session, recipe, {}, *tokens, {}, quantize::Quantizer::Search};
    request.options.context = context;
    request.options.windows = kWindows;
    const auto measured = study::measure(request, environment_.work);
    if (!measured) return pass(measured);
    result(study::result_to_json(*measured));
    return say(measured_text(*measured));
  }

  /// A step that this model cannot take is told, and the tour goes on.
  Status skip(const Error& why) {
    result({{"skipped", why.describe()}});
    return say("Left out: " + why.describe() + "\n");
  }

  static std::string quoted(const std::string& path) {
    if (path.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+=:,@%") ==
        std::string::npos)
      return path;
    std::string out = "'";
    for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return printable(out + "'", 1000);
  }

  std::string model_, recipe_argument_;
  const Environment& environment_;
  Output out_;
};

}  // namespace

Command add_tour(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "tour", "A first look at a model (default: the sample), with the commands for it");
  app->footer(kHelp);
  auto model = std::make_shared<std::string>("sample");
  app->add_option("MODEL", *model, "GGUF file, or \"sample\"");
  return {app, [model](const Environment& environment) { return Tour(*model, environment).run(); }};
}

}  // namespace bitlens::cli
