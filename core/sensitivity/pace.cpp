#include "core/sensitivity/pace.h"

#include <algorithm>
#include <chrono>

namespace bitlens::sensitivity {

namespace {

/// A kind's own rate counts as much as the mean of all after this share of its work: the first pieces are
/// slow where memory is new.
constexpr double kLearnedAfter = 0.005;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Pace::Pace(std::size_t kinds, Clock clock) : clock_(std::move(clock)), kinds_(kinds) {
  if (!clock_) clock_ = steady_seconds;
}

void Pace::start() {
  last_ = clock_();
  update();
}

void Pace::done(std::size_t kind, double cost) {
  const double now = clock_();
  kinds_[kind].done += cost;
  kinds_[kind].seconds += now - last_;
  last_ = now;
  update();
}

void Pace::spare(std::size_t kind, double cost) {
  kinds_[kind].spared += cost;
  update();
}

void Pace::update() {
  // Work that turns out not to be needed is work that takes no time: more of it is to be expected.
  double planned = 0, seen = 0, seconds = 0;
  for (const Kind& kind : kinds_) {
    planned += kind.planned;
    seen += kind.done + kind.spared;
    seconds += kind.seconds;
  }
  if (!(planned + known_ > 0)) return;
  const double mean = seen > 0 ? seconds / seen : 0.0;
  double left = 0;
  for (const Kind& kind : kinds_) {
    const double open = kind.planned - kind.done - kind.spared;
    if (!(open > 1e-9 * kind.planned)) continue;
    const double weight = kLearnedAfter * kind.planned, own = kind.done + kind.spared;
    left += open * (own > 0 ? (kind.seconds + weight * mean) / (own + weight) : mean);
  }
  const double known = known_ / (planned + known_);
  const double passed = !(planned > 0)                   ? 1.0
                        : seen > 0 && seconds + left > 0 ? seconds / (seconds + left)
                                                         : 0.0;
  share_ = std::max(share_, known + (1.0 - known) * passed);
}

}  // namespace bitlens::sensitivity
