// Times of sweeps over cells against full evaluations of every cell: ratios within one run.
//
//   bench_sensitivity MODEL TEXT --formats A,B,.. [--context N] [--windows N] [--sample GLOB] [--cells N]
//     [--exact] [--naive N] [--respond SAMPLES [--save FILE]] [--adaptive FILE] [--edits FILE]
//     [--progress measured|adaptive|response]
//
// The unit is one evaluation of the model alone, the mean of three before and three after a sweep: on a
// shared machine one of them says little. "Share" is time / (cells x unit). --sample names the tensors that
// --exact and --adaptive really measure; their mean time stands for that of all --cells. --naive compares so
// many of them with full evaluations beside the base. --respond predicts every cell. --progress tells, as a
// run goes on, how long it would be thought to take and how long it took. Files are JSON that --save, or
// `bitlens-cli sensitivity --method response`, wrote.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "core/sensitivity/measured.h"
#include "core/study/sensitivity.h"

namespace {

using namespace bitlens;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <typename T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().describe());
  std::exit(1);
}
void need(const Status& status) {
  if (status) return;
  fmt::print(stderr, "{}\n", status.error().describe());
  std::exit(1);
}

struct Options {
  std::string model, text, sample = "*", save, estimates, edits, progress;
  std::vector<std::string> formats;
  std::uint32_t context = 512, windows = 8;
  std::size_t cells = 0, naive = 0, samples = 0;
  bool exact = false;
};

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)), pool_(2), work_{pool_} {
    session_ = need(study::open_model(options_.model));
    text_ = need(study::tokenize(*session_, need(study::load_text(options_.text))));
    evaluate_.context = options_.context;
    evaluate_.windows = options_.windows;
    windows_ = need(study::plan_windows(*session_, *text_, evaluate_));
    for (const std::string& name : options_.formats)
      if (const auto* format = kernels::find_format(std::string_view(name)))
        formats_.push_back(format->format);
    all_ = need(sensitivity::plan_cells(*session_->model, "*", formats_, kernels::Quantizer::Rtn)).cells;
    some_ =
        need(sensitivity::plan_cells(*session_->model, options_.sample, formats_, kernels::Quantizer::Rtn))
            .cells;
    count_ = options_.cells == 0 ? all_.size() : options_.cells;
    evaluate_alone();
    fmt::print("{} windows of {}; {} cells, sample of {}; one evaluation of one model: {:.3f} s\n",
               windows_.inputs.size(), windows_.context, all_.size(), some_.size(), unit());
  }

  void exact() {
    const double start = now();
    double first = 0;
    auto measurer = need(sensitivity::CellMeasurer::create(session_->model, windows_, {}));
    measured_.assign(some_.size(), 0.0);
    need(measurer->measure(
        some_,
        [&](std::size_t index, const sensitivity::MeasuredCell& cell) -> Status {
          if (first == 0) first = now() - start;
          measured_[index] = cell.kl_mean;
          return {};
        },
        work_));
    const double base = measurer->base_seconds();
    const double whole = now() - start, cell = (whole - base) / static_cast<double>(some_.size());
    fmt::print(
        "exact: base {:.2f} s, first cell after {:.2f} s, then {:.4f} s a cell; whole sample {:.2f} s\n",
        base, first, cell, whole);
    report("exact", base + cell * static_cast<double>(count_));
  }

  void naive() {
    const auto base = run::file_weights(session_->model);
    double worst = 0;
    const double start = now();
    for (std::size_t i = 0; i < options_.naive; ++i) {
      const std::size_t at = i * some_.size() / options_.naive;
      const auto subject = need(sensitivity::cell_weights(session_->model, some_[at]));
      const auto alone = need(evaluate::measure(*subject, base.get(), windows_, evaluate_, work_));
      worst = std::max(worst, std::abs(measured_[at] / alone.comparison->kl_mean - 1));
    }
    const double cell = (now() - start) / static_cast<double>(options_.naive);
    fmt::print("a cell beside the base, both from scratch: {:.3f} s ({:.0f} %); largest difference {:.1e}\n",
               cell, 100 * cell / unit(), worst);
  }

  void respond() {
    study::SensitivityRequest request = request_for("*");
    request.method = sensitivity::Method::Response;
    request.samples = options_.samples;
    const double start = now();
    double map_after = 0;
    std::map<std::pair<std::string, kernels::Format>, double> first_errors;
    const auto result = std::make_shared<study::SensitivityResult>(need(study::run_sensitivity(
        request,
        [&](std::span<const sensitivity::CellRecord> cells) {
          if (map_after != 0) return;
          for (const auto& cell : cells) first_errors[{cell.tensor, cell.format}] = cell.kl_se / cell.kl_mean;
          if (first_errors.size() == all_.size()) map_after = now() - start;
        },
        work_)));
    const double seconds = now() - start;
    std::vector<double> errors, first;
    for (const auto& cell : result->cells) errors.push_back(cell.kl_se / cell.kl_mean);
    for (const auto& [cell, error] : first_errors) first.push_back(error);
    std::ranges::sort(errors);
    std::ranges::sort(first);
    fmt::print("predicted: {} samples of {} cells; median error {:.1f} %, 95th percentile {:.1f} %\n",
               result->cells.front().samples, errors.size(), 100 * errors[errors.size() / 2],
               100 * errors[errors.size() * 95 / 100]);
    report("predicted", seconds);
    fmt::print("predicted: first map after {:.1f} s ({:.1f} evaluations), median error {:.1f} %\n", map_after,
               map_after / unit(), 100 * first[first.size() / 2]);
    if (!options_.save.empty()) need(study::save_sensitivity(*result, options_.save, true, {}));
  }

  void adaptive() {
    const auto known = need(study::load_sensitivity(options_.estimates));
    study::SensitivityRequest request = request_for(options_.sample);
    request.adaptive = true;
    request.estimates = known.cells;
    request.estimate_windows = windows_.inputs.size();
    const double start = now();
    const auto result = need(study::run_sensitivity(request, {}, work_));
    const double seconds = now() - start;
    double used = 0, cell_seconds = 0;
    std::map<std::pair<std::string, kernels::Format>, const sensitivity::CellRecord*> found;
    for (const auto& cell : known.cells) found[{cell.tensor, cell.format}] = &cell;
    for (const auto& cell : result.cells) {
      used += static_cast<double>(cell.windows);
      cell_seconds += cell.seconds;
      found[{cell.tensor, cell.format}] = &cell;
    }
    const auto cells = static_cast<double>(some_.size()), measured = static_cast<double>(result.cells.size());
    fmt::print(
        "adaptive: sample in {:.1f} s; {} of {} cells measured, {:.4f} s and {:.2f} of {} windows each; the "
        "others left to predictions\n",
        seconds, result.cells.size(), some_.size(), cell_seconds / measured, used / measured,
        windows_.inputs.size());
    report("adaptive, measuring",
           seconds - cell_seconds + cell_seconds / cells * static_cast<double>(count_));
    if (measured_.size() != some_.size()) return;
    for (const bool of_measured : {true, false}) {
      std::vector<double> off, errors;
      std::size_t outside = 0;
      for (std::size_t c = 0; c < some_.size(); ++c) {
        const auto at = found.find({some_[c].name, some_[c].format});
        if (at == found.end() || (at->second->method == sensitivity::Method::Measured) != of_measured)
          continue;
        off.push_back(std::abs(at->second->kl_mean / measured_[c] - 1));
        errors.push_back(at->second->kl_se / at->second->kl_mean);
        if (std::abs(at->second->kl_mean - measured_[c]) > 2 * at->second->kl_se) {
          ++outside;
          fmt::print("  {} {}: {:.3g} +- {:.2g} from {} windows, exact {:.3g}\n", some_[c].name,
                     kernels::info(some_[c].format).name, at->second->kl_mean, at->second->kl_se,
                     at->second->windows, measured_[c]);
        }
      }
      if (off.empty()) continue;
      std::ranges::sort(off);
      std::ranges::sort(errors);
      fmt::print(
          "adaptive against exact, {}: median difference {:.1f} %, largest {:.1f} %; error bars median "
          "{:.1f} "
          "%; {} of {} beyond 2 of them\n",
          of_measured ? "measured" : "left to predictions", 100 * off[off.size() / 2], 100 * off.back(),
          100 * errors[errors.size() / 2], outside, off.size());
    }
  }

  /// Estimates of a stage's whole time from how far it is, beside the truth.
  void progress() {
    study::SensitivityRequest request = request_for(options_.sample);
    request.method =
        options_.progress == "response" ? sensitivity::Method::Response : sensitivity::Method::Measured;
    request.adaptive = options_.progress == "adaptive";
    if (options_.samples > 0) request.samples = options_.samples;
    struct Report {
      double seconds, share;
    };
    std::vector<std::pair<std::string, std::vector<Report>>> stages;
    const double start = now();
    const WorkContext watched{
        pool_, {}, [&](const Progress& report) {
          if (stages.empty() || stages.back().first != report.stage) stages.push_back({report.stage, {}});
          stages.back().second.push_back(
              {now() - start, static_cast<double>(report.done) / static_cast<double>(report.total)});
        }};
    double first_cell = 0;
    need(study::run_sensitivity(
        request, [&](auto) { first_cell = first_cell == 0 ? now() - start : first_cell; }, watched));
    fmt::print("{}: {:.2f} s, first cell after {:.2f} s\n", options_.progress, now() - start, first_cell);
    for (const auto& [stage, reports] : stages) {
      // As the studio and the command line estimate it: what was done before the stage says nothing.
      const Report first = reports.front(), last = reports.back();
      fmt::print("  {:9} {:.2f} s, thought at", stage, last.seconds - first.seconds);
      double next = 0.05;
      for (const Report& report : reports) {
        const double share = (report.share - first.share) / (1 - first.share);
        if (share < next || share >= 1) continue;
        const double seconds = report.seconds - first.seconds, whole = last.seconds - first.seconds;
        fmt::print("  {:.0f} %: {:.2f} ({:+.0f} %)", 100 * share, seconds / share,
                   100 * (seconds / share / whole - 1));
        while (next <= share) next += next < 0.1 ? 0.05 : 0.15;
      }
      fmt::print("\n");
    }
  }

  void edits() {
    const auto known =
        std::make_shared<const study::SensitivityResult>(need(study::load_sensitivity(options_.edits)));
    const study::Predictor predictor(session_, {known});
    constexpr std::size_t kEdits = 1000;
    double sum = 0, worst = 0;
    std::uint64_t samples = 0;
    quantize::Recipe recipe;
    recipe.fallback = formats_.front();
    auto resolved = need(quantize::resolve(recipe, session_->file(), quantize::Quantizer::Rtn));
    const double start = now();
    for (std::size_t i = 0; i < kEdits; ++i) {
      // One tensor moves to another format, the others stay.
      auto& choice = resolved.tensors[all_[i * 37 % all_.size()].tensors.front()];
      choice.format = formats_[i % formats_.size()];
      choice.changed = choice.format != choice.source;
      const double edit = now();
      const auto prediction = need(predictor.predict(resolved));
      worst = std::max(worst, now() - edit);
      sum += prediction.kl_mean;
      samples = prediction.samples;
    }
    fmt::print(
        "a recipe's prediction, {} cells x {} samples: {:.3f} ms an edit, at most {:.3f} ms (mean KL "
        "{:.3g})\n",
        known->cells.size(), samples, 1e3 * (now() - start) / kEdits, 1e3 * worst, sum / kEdits);
  }

 private:
  [[nodiscard]] study::SensitivityRequest request_for(const std::string& tensors) const {
    study::SensitivityRequest request;
    request.session = session_;
    request.text = text_;
    request.options = evaluate_;
    request.quantizer = quantize::Quantizer::Rtn;
    request.formats = formats_;
    request.tensor_glob = tensors;
    return request;
  }
  void evaluate_alone() {
    const auto base = run::file_weights(session_->model);
    for (int i = 0; i < 3; ++i) {
      const double start = now();
      need(evaluate::measure(*base, nullptr, windows_, evaluate_, work_));
      units_.push_back(now() - start);
    }
  }
  /// Of those before and after the last sweep.
  [[nodiscard]] double unit() const {
    const auto last = std::span(units_).last(std::min<std::size_t>(6, units_.size()));
    return std::accumulate(last.begin(), last.end(), 0.0) / static_cast<double>(last.size());
  }
  void report(const char* what, double seconds) {
    evaluate_alone();
    fmt::print("evaluations of one model: {:.3f} s\n", fmt::join(units_, ", "));
    fmt::print("{}: {:.1f} s for {} cells, share {:.2f} %\n", what, seconds, count_,
               100 * seconds / (static_cast<double>(count_) * unit()));
  }

  Options options_;
  ThreadPool pool_;
  WorkContext work_;
  std::shared_ptr<const study::ModelSession> session_;
  std::shared_ptr<const study::TokenizedText> text_;
  evaluate::Options evaluate_;
  evaluate::Windows windows_;
  std::vector<kernels::Format> formats_;
  std::vector<sensitivity::Cell> all_, some_;
  std::vector<double> measured_;
  std::size_t count_ = 0;
  std::vector<double> units_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Times of sweeps over cells");
  app.add_option("model", options.model)->required();
  app.add_option("text", options.text)->required();
  app.add_option("--formats", options.formats)->required()->delimiter(',');
  app.add_option("--context", options.context);
  app.add_option("--windows", options.windows);
  app.add_option("--sample", options.sample);
  app.add_option("--cells", options.cells);
  app.add_flag("--exact", options.exact);
  app.add_option("--naive", options.naive)->needs("--exact");
  app.add_option("--respond", options.samples);
  app.add_option("--save", options.save)->needs("--respond");
  app.add_option("--adaptive", options.estimates);
  app.add_option("--edits", options.edits);
  app.add_option("--progress", options.progress);
  CLI11_PARSE(app, argc, argv);
  Bench bench(options);
  if (options.exact) bench.exact();
  if (options.naive > 0) bench.naive();
  if (!options.progress.empty()) bench.progress();
  if (options.samples > 0 && options.progress.empty()) bench.respond();
  if (!options.estimates.empty()) bench.adaptive();
  if (!options.edits.empty()) bench.edits();
  return 0;
}
