#include "core/study/time_left.h"

#include <algorithm>

namespace bitlens::study {

void TimeLeft::report(const Progress& progress, double seconds) {
  const bool new_stage = !started_ || progress.stage != stage_ || progress.done < done_;
  if (new_stage) {
    stage_ = progress.stage;
    started_ = true;
    stage_start_ = seconds;
    first_done_ = progress.done;  // work an earlier run had already done says nothing about the speed
  }
  done_ = progress.done;
  total_ = progress.total;
  last_report_ = seconds;
}

double TimeLeft::seconds_left(double seconds) const {
  if (!started_ || total_ == 0 || done_ <= first_done_) return -1;
  const double fraction = static_cast<double>(done_) / static_cast<double>(total_);
  if (seconds - stage_start_ < kMinSeconds || fraction < kMinFraction) return -1;
  const double per_unit = (last_report_ - stage_start_) / static_cast<double>(done_ - first_done_);
  const double at_report = per_unit * static_cast<double>(total_ - std::min(done_, total_));
  return std::max(0.0, at_report - (seconds - last_report_));
}

}  // namespace bitlens::study
