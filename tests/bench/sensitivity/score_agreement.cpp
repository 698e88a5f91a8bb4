// How well each cheaper score ranks cells: its Spearman correlation with what is measured, per format and
// over all, as a table.
//
//   score_agreement MODEL TEXT CONTEXT WINDOWS FORMATS SAMPLES [GLOB]
#include <fmt/format.h>

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

template <typename T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().describe());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    fmt::print(stderr, "usage: score_agreement MODEL TEXT CONTEXT WINDOWS FORMATS SAMPLES [GLOB]\n");
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
  const std::string list = argv[5];
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    if (const auto* format = kernels::find_format(std::string_view(list).substr(at, end - at)))
      formats.push_back(format->format);
    at = end + 1;
  }
  const auto plan =
      need(sensitivity::plan_cells(*model, argc > 7 ? argv[7] : "*", formats, kernels::Quantizer::Rtn));
  const auto& cells = plan.cells;
  ThreadPool pool(2);
  const WorkContext work{pool};

  std::vector<double> measured(cells.size());
  auto measurer = need(sensitivity::CellMeasurer::create(model, windows, {}));
  const auto status = measurer->measure(
      cells,
      [&](std::size_t index, const sensitivity::MeasuredCell& cell) -> Status {
        measured[index] = cell.kl_mean;
        return {};
      },
      work);
  if (!status) {
    fmt::print(stderr, "{}\n", status.error().describe());
    return 1;
  }
  sensitivity::ResponseOptions response;
  response.samples = static_cast<std::size_t>(std::atoi(argv[6]));
  response.diagonal_fisher = true;
  const auto matrix = need(sensitivity::response_vectors(model, cells, windows, response, {}, work));
  const auto scores = need(sensitivity::cheap_scores(model, cells, windows, std::uint64_t{1} << 30, work));

  struct Score {
    const char* name;
    std::vector<double> values;
  };
  std::vector<Score> table = {{"response", {}},       {"diagonal Fisher", {}}, {"energy, mean shift", {}},
                              {"energy", {}},         {"Hessian trace", {}},   {"rounding RMSE", {}},
                              {"activation rule", {}}};
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const double values[] = {matrix.predict(c).kl_mean, matrix.diagonal_fisher(c), scores[c].energy_shift,
                             scores[c].energy,          scores[c].hessian_trace,   scores[c].rounding,
                             scores[c].activation_rule};
    for (std::size_t s = 0; s < table.size(); ++s) table[s].values.push_back(values[s]);
  }
  fmt::print("{} cells, {} windows of {}, {} samples\n{:20}", cells.size(), windows.inputs.size(),
             windows.context, matrix.capacity(), "Spearman with KL");
  for (const kernels::Format format : formats) fmt::print("{:>9}", kernels::info(format).name);
  fmt::print("{:>9}\n", "all");
  for (const Score& score : table) {
    fmt::print("{:20}", score.name);
    for (const kernels::Format format : formats) {
      std::vector<double> a, b;
      for (std::size_t c = 0; c < cells.size(); ++c)
        if (cells[c].format == format) {
          a.push_back(score.values[c]);
          b.push_back(measured[c]);
        }
      fmt::print("{:9.3f}", sensitivity::spearman(a, b));
    }
    fmt::print("{:9.3f}\n", sensitivity::spearman(score.values, measured));
  }
  return 0;
}
