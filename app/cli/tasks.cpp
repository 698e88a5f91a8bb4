// tasks MODEL: how often a model picks the right candidate, and what a recipe changes about it.
#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/table.h"
#include "core/study/tasks.h"

namespace bitlens::cli {

namespace {

constexpr const char* kHelp =
    "Every item is a prompt with a few candidates; the model is right if the right one has the highest "
    "log-probability,\n"
    "summed over its tokens. With --recipe the model as it is is scored too, so that items lost and gained "
    "are known.\n"
    "\nTASK FILES\n"
    "  {\"items\": [{\"kind\": \"sum\", \"prompt\": \"Two and two are\", \"candidates\": [\" three\", \" "
    "four\"], "
    "\"answer\": 1}]}\n"
    "  \"answer\" counts from 0; \"about\" (text) and \"seed\" (anything) may stand beside \"items\".\n"
    "\nJSON KEYS\n"
    "  name, items, right, accuracy, accuracy_se (binomial), chance (what guessing gets); shares 0..1\n"
    "  kinds [{kind, items, right, accuracy, accuracy_se, chance}]\n"
    "  with --recipe also recipe, base_right, base_accuracy, base_accuracy_se, lost, gained; in kinds "
    "base_right, "
    "base_accuracy\n"
    "  seconds, warnings, provenance as in perplexity (text: the task file; protocol: cloze; windows: items)";

struct Options {
  std::string model, tasks = "sample", imatrix, quantizer = "search", activations = "exact",
                     compute = "exact";
  RecipeOptions recipe;
};

std::string percent(double share) {
  return fmt::format("{:.1f} %", share * 100);
}

std::string report_text(const study::TaskReport& report) {
  std::vector<Table::Column> columns{{"Kind"}, {"Items", Align::Right}, {"Chance", Align::Right}};
  if (report.base) columns.push_back({"As in file", Align::Right});
  columns.push_back({"Accuracy", Align::Right});
  columns.push_back({"+-", Align::Right});
  Table table(std::move(columns));
  const auto add = [&](const evaluate::TaskScore& score, const evaluate::TaskScore* base) {
    std::vector<std::string> cells{printable(score.kind, 40), std::to_string(score.items),
                                   percent(score.chance)};
    if (base != nullptr) cells.push_back(percent(base->accuracy()));
    cells.push_back(percent(score.accuracy()));
    cells.push_back(percent(score.standard_error()));
    table.add(std::move(cells));
  };
  for (std::size_t k = 0; k < report.subject.kinds.size(); ++k)
    add(report.subject.kinds[k], report.base ? &report.base->kinds[k] : nullptr);
  add(report.subject.all, report.base ? &report.base->all : nullptr);
  std::string out = fmt::format("{} on the tasks of {}\n", printable(report.name, 200),
                                printable(report.provenance.text_name, 200)) +
                    table.render();
  if (report.base)
    out += fmt::format("{} items lost, {} gained against the model as it is\n", report.lost, report.gained);
  return out;
}

Result<Output> run(const Options& options, const Environment& environment) {
  study::TaskRequest request;
  const auto subject = study::open_model(options.model);
  if (!subject) return pass(subject);
  request.subject = *subject;
  Output out;
  out.warnings = model_warnings(**subject);
  const auto importance = load_imatrix(**subject, options.imatrix, options.recipe);
  if (!importance) return pass(importance);
  request.importance = *importance;
  if (!options.recipe.empty()) {
    auto loaded = load_recipe(options.recipe, (*subject)->file(), *importance != nullptr);
    if (!loaded) return pass(loaded);
    request.recipe = std::move(loaded->recipe);
    out.warnings.insert(out.warnings.end(), loaded->warnings.begin(), loaded->warnings.end());
  }
  const auto tasks = study::load_tasks(options.tasks);
  if (!tasks) return pass(tasks);
  request.tasks = *tasks;
  request.quantizer = quantizer_of(options.quantizer);
  request.compute = compute_of(options.compute);
  request.activations =
      options.activations == "q8" ? evaluate::Activations::Q8 : evaluate::Activations::Exact;

  const auto report = study::score_tasks(request, environment.work);
  if (!report) return pass(report);
  const auto& more = report->subject.warnings;
  out.warnings.insert(out.warnings.end(), more.begin(), more.end());
  if (environment.json)
    out.json = study::task_report_to_json(*report);
  else
    out.text = report_text(*report);
  return out;
}

}  // namespace

Command add_tasks(CLI::App& parent) {
  CLI::App* app =
      parent.add_subcommand("tasks", "Score cloze tasks: how often the right candidate is the likeliest");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  add_model(*app, options->model);
  app->add_option("--tasks", options->tasks, "Task file, or \"sample\" for the tasks that come with Bitlens")
      ->type_name("FILE")
      ->capture_default_str();
  add_recipe_options(*app, options->recipe, false);
  add_quantizer(*app, options->quantizer);
  add_imatrix_option(*app, options->imatrix);
  app->add_option(
         "--activations", options->activations,
         "exact: weights only; q8: the inputs of quantized weights rounded as llama.cpp's CPU code does")
      ->check(CLI::IsMember({"exact", "q8"}))
      ->capture_default_str();
  add_compute_option(*app, options->compute);
  return {app, [options](const Environment& environment) { return run(*options, environment); }};
}

}  // namespace bitlens::cli
