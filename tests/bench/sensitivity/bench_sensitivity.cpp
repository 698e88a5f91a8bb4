// Times of a sensitivity sweep, against full evaluations of every cell: the saving is a ratio within one run.
//
//   bench_sensitivity MODEL TEXT CONTEXT WINDOWS FORMATS NAIVE_CELLS [SAMPLES]
//
// Measures every tensor at FORMATS (comma-separated, plain rounding) by suffix-only forwards, then
// NAIVE_CELLS of the cells, spread evenly over the list, by full evaluations (model and base from scratch),
// and predicts all cells from SAMPLES responses.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/sensitivity/agreement.h"
#include "core/sensitivity/measured.h"
#include "core/sensitivity/response.h"
#include "core/sensitivity/scores.h"
#include "core/tokenizer/tokenizer.h"

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

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    fmt::print(stderr, "usage: bench_sensitivity MODEL TEXT CONTEXT WINDOWS FORMATS NAIVE_CELLS [SAMPLES]\n");
    return 2;
  }
  const auto model = need(model::make_model(need(io::open_gguf(argv[1]))));
  const auto tokenizer = need(tokenizer::make_tokenizer(model->file().metadata(), argv[1]));
  std::vector<tokenizer::TokenId> tokens;
  if (tokenizer->adds_bos() && tokenizer->bos()) tokens.push_back(*tokenizer->bos());
  const auto ids = need(tokenizer->encode(need(read_file(argv[2], std::size_t{1} << 30))));
  tokens.insert(tokens.end(), ids.begin(), ids.end());
  evaluate::Options options;
  options.context = static_cast<std::uint32_t>(std::atoi(argv[3]));
  options.windows = static_cast<std::uint32_t>(std::atoi(argv[4]));
  const auto windows = need(evaluate::make_windows(tokens, *tokenizer, options, model->llama()->context));
  std::vector<kernels::Format> formats;
  std::string list = argv[5];
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    if (const auto* format = kernels::find_format(std::string_view(list).substr(at, end - at)))
      formats.push_back(format->format);
    at = end + 1;
  }
  const auto plan = need(sensitivity::plan_cells(*model, "*", formats, kernels::Quantizer::Rtn));
  const std::size_t count = plan.cells.size();
  const auto naive_cells = static_cast<std::size_t>(std::atoi(argv[6]));
  const auto samples = static_cast<std::size_t>(argc > 7 ? std::atoi(argv[7]) : 0);
  ThreadPool pool(2);
  const WorkContext work{pool};
  fmt::print("{} cells, {} skipped, {} windows of {}\n", count, plan.skipped.size(), windows.inputs.size(),
             windows.context);

  // Cells that are compared are also those that are measured when there are too many to do all.
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < std::min(naive_cells, count); ++i) chosen.push_back(i * count / naive_cells);
  const bool all = argc <= 8;
  std::vector<sensitivity::Cell> cells;
  for (std::size_t i = 0; i < count; ++i)
    if (all || std::ranges::find(chosen, i) != chosen.end()) cells.push_back(plan.cells[i]);

  std::vector<double> kl(cells.size());
  double first = 0;
  const double start = now();
  auto measurer = need(sensitivity::CellMeasurer::create(model, windows, {}, work));
  const double base_done = now();
  need(measurer->measure(
      cells,
      [&](std::size_t index, const sensitivity::MeasuredCell& cell) -> Status {
        if (first == 0) first = now() - start;
        kl[index] = cell.kl_mean;
        return {};
      },
      work));
  const double suffix = now() - start;
  fmt::print("suffix-only: base {:.2f} s, first cell after {:.2f} s, {} cells in {:.2f} s, {:.4f} s a cell\n",
             base_done - start, first, cells.size(), suffix, suffix / static_cast<double>(cells.size()));

  if (!chosen.empty()) {
    const auto base = run::file_weights(model);
    const double naive_start = now();
    double worst = 0;
    for (const std::size_t i : chosen) {
      const auto subject = need(sensitivity::cell_weights(model, plan.cells[i]));
      const auto alone = need(evaluate::measure(*subject, base.get(), windows, options, work));
      const auto found = std::ranges::find(cells, plan.cells[i]);
      const double mine = kl[static_cast<std::size_t>(found - cells.begin())];
      worst = std::max(worst, std::abs(mine / alone.comparison->kl_mean - 1));
    }
    const double naive = (now() - naive_start) / static_cast<double>(chosen.size());
    const double alone_start = now();
    need(evaluate::measure(*base, nullptr, windows, options, work));
    const double evaluation = now() - alone_start;
    fmt::print(
        "full evaluation beside the base: {:.4f} s a cell, of one model alone {:.4f} s; largest difference "
        "{:.1e}\n",
        naive, evaluation, worst);
    fmt::print("suffix-only takes {:.1f} % of cells x (one full evaluation of one model)\n",
               100 * suffix / static_cast<double>(cells.size()) / evaluation);
    if (samples > 0) {
      const double response_start = now();
      double map_after = 0;
      sensitivity::ResponseOptions response;
      response.samples = samples;
      const auto matrix = need(sensitivity::response_vectors(
          model, plan.cells, windows, response,
          [&](std::span<const std::size_t>, const sensitivity::ResponseMatrix& now_known) -> Status {
            bool whole = map_after == 0;
            for (std::size_t c = 0; whole && c < count; ++c) whole = now_known.known(c) > 0;
            if (whole) map_after = now() - response_start;
            return {};
          },
          work));
      const double seconds = now() - response_start;
      std::vector<double> errors, predicted, ratios;
      for (std::size_t c = 0; c < count; ++c) {
        const auto prediction = matrix.predict(c);
        errors.push_back(prediction.kl_se / prediction.kl_mean);
        const auto found = std::ranges::find(cells, plan.cells[c]);
        if (found == cells.end()) continue;
        predicted.push_back(prediction.kl_mean);
        ratios.push_back(prediction.kl_mean / kl[static_cast<std::size_t>(found - cells.begin())]);
      }
      std::ranges::sort(errors);
      fmt::print(
          "responses: {} samples of {} cells in {:.2f} s, whole map after {:.2f} s; {:.2f} % of cells x full "
          "evaluation; standard error median {:.1f} %, 95th percentile {:.1f} %\n",
          matrix.capacity(), count, seconds, map_after,
          100 * seconds / static_cast<double>(count) / evaluation, 100 * errors[count / 2],
          100 * errors[count * 95 / 100]);
      fmt::print("predicted / measured median {:.3f}, Spearman {:.4f}\n", median(ratios),
                 sensitivity::spearman(predicted, kl));
      sensitivity::JointPrediction joint(matrix);
      const double edit_start = now();
      constexpr int edits = 1000;
      double sum = 0;
      for (int i = 0; i < edits; ++i) {
        joint.add(static_cast<std::size_t>(i) % count);
        sum += joint.predict().kl_mean;
      }
      fmt::print("one edit of a recipe: {:.3f} ms (mean KL {:.3g})\n", 1e3 * (now() - edit_start) / edits,
                 sum / edits);
    }
  }
  return 0;
}
