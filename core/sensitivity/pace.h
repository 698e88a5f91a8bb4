// How far work is, as a share of the time it takes. What is to come is counted beforehand, by kind, in costs
// (costs.h) that say how long pieces take beside each other; how long a kind really takes is learned as soon
// as it has run, because no constant knows the machine it runs on. Until then a kind is thought to take what
// its cost says at the mean rate of all that have run.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace bitlens::sensitivity {

class Pace {
 public:
  using Clock = std::function<double()>;  ///< seconds since any moment
  explicit Pace(std::size_t kinds, Clock clock = {});

  /// Work to come.
  void plan(std::size_t kind, double cost) { kinds_[kind].planned += cost; }
  /// Work that was done by an earlier run: a share of the whole that took no time here.
  void know(double cost) { known_ += cost; }
  /// Time counts from now on.
  void start();
  /// What was worked on since start(), or since this was last called.
  void done(std::size_t kind, double cost);
  /// Planned, and found not to be needed.
  void spare(std::size_t kind, double cost);
  /// Of the time of the whole, 0..1; never falls.
  [[nodiscard]] double share() const { return share_; }

 private:
  struct Kind {
    double planned = 0, done = 0, spared = 0, seconds = 0;
  };
  void update();
  Clock clock_;
  std::vector<Kind> kinds_;
  double known_ = 0, last_ = 0, share_ = 0;
};

}  // namespace bitlens::sensitivity
