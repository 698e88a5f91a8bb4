#include "views/bridge/loss_places.h"

#include <algorithm>
#include <numeric>

#include "views/bridge/entry.h"

namespace bitlens::views {

namespace {
constexpr std::size_t kPlaces = 12, kTokensBefore = 14;
}  // namespace

Result<LossPlaces> find_loss_places(const LossRequest& request, const WorkContext& work) {
  const Entry entry("find_loss_places");
  const auto windows = study::plan_windows(*request.session, *request.text, request.options);
  if (!windows) return pass(windows);
  study::MeasureRequest measure;
  measure.subject = request.session;
  measure.recipe = quantize::Recipe{};
  measure.recipe->rules.push_back(
      {request.session->file().tensors()[request.tensor].name, request.format, std::nullopt});
  measure.text = request.text;
  measure.options = request.options;
  measure.quantizer = request.quantizer;
  const auto result = study::measure(measure, work);
  if (!result) return pass(result);
  const std::vector<float>& kl = result->measurement.token_kl;
  LossPlaces out;
  out.tokens = kl.size();
  if (result->measurement.comparison) {
    out.kl_mean = result->measurement.comparison->kl_mean;
    out.kl_se = result->measurement.comparison->kl_se;
  }
  const std::size_t scored = windows->scored_per_window();
  for (std::size_t first = 0; first + scored <= kl.size(); first += scored)
    out.windows.push_back(std::accumulate(kl.begin() + static_cast<std::ptrdiff_t>(first),
                                          kl.begin() + static_cast<std::ptrdiff_t>(first + scored), 0.0) /
                          static_cast<double>(scored));
  std::vector<std::size_t> order(kl.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return kl[i]; });
  const double all = std::accumulate(kl.begin(), kl.end(), 0.0);
  for (double sum = 0; out.half < order.size() && sum < all / 2; ++out.half)
    sum += static_cast<double>(kl[order[out.half]]);

  const tokenizer::Tokenizer& tokenizer = **request.session->tokenizer;
  for (std::size_t i = 0; i < std::min(kPlaces, order.size()); ++i) {
    LossPlace place;
    place.window = order[i] / scored;
    place.position = windows->first_scored + order[i] % scored;
    place.kl = static_cast<double>(kl[order[i]]);
    const auto& inputs = windows->inputs[place.window];
    std::string before;
    for (std::size_t p = place.position + 1 - std::min(place.position + 1, kTokensBefore);
         p <= place.position; ++p)
      before += tokenizer.decode(inputs[p]);
    place.before = QString::fromUtf8(before.data(), static_cast<qsizetype>(before.size()));
    const std::string token = tokenizer.decode(windows->targets[place.window][place.position]);
    place.token = QString::fromUtf8(token.data(), static_cast<qsizetype>(token.size()));
    out.places.push_back(std::move(place));
  }
  return out;
}

}  // namespace bitlens::views
