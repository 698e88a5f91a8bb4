// Runs a piece of code once per instruction set that the kernels were built for and this processor has.
#pragma once

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstdint>
#include <vector>

namespace bitlens::testing {

inline std::vector<std::int64_t> available_targets() {
  std::vector<std::int64_t> targets;
  for (const std::int64_t target : {HWY_SCALAR, HWY_SSE4, HWY_AVX2, HWY_AVX3}) {
    if (target == HWY_SCALAR || (hwy::SupportedTargets() & target) != 0) {
      targets.push_back(target);
    }
  }
  return targets;
}

/// Calls run(name) with dispatch pinned to each target in turn, the plainest first.
template <class Run>
void on_every_target(Run run) {
  const auto targets = available_targets();
  for (const std::int64_t target : targets) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    run(hwy::TargetName(target));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace bitlens::testing
