// Estimate of a job's remaining time from its progress reports. Pure: the caller brings the clock.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/parallel.h"

namespace bitlens::study {

/// Linear in the work of the current stage: what is left takes as long per unit as what this stage has done
/// so far. A job of several stages is therefore estimated one stage at a time.
class TimeLeft {
 public:
  static constexpr double kMinSeconds = 2.0;    ///< a stage must have run this long ...
  static constexpr double kMinFraction = 0.03;  ///< ... and be this far before an estimate is worth showing

  /// `seconds`: running time of the job so far, pauses excluded.
  void report(const Progress& progress, double seconds);
  /// Seconds left at running time `seconds`; negative while unknown, never below 0 otherwise.
  [[nodiscard]] double seconds_left(double seconds) const;

 private:
  std::string stage_;
  bool started_ = false;
  std::uint64_t first_done_ = 0, done_ = 0, total_ = 0;
  double stage_start_ = 0, last_report_ = 0;
};

}  // namespace bitlens::study
