#include "kernels/dense/instruction_set.h"

#include <hwy/targets.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "kernels/dense/amx.h"

namespace bitlens::kernels {

namespace {

std::atomic<bool> tiles_allowed{true};

/// Levels from the best down: name to ask for, name to show, Highway's bit (0: tiles, beside the next level).
struct Level {
  std::string_view name, shown;
  std::int64_t target;
};
constexpr std::array<Level, 5> kLevels{{{"amx", "AVX-512 + AMX", 0},
                                        {"avx512", "AVX-512", HWY_AVX3},
                                        {"avx2", "AVX2", HWY_AVX2},
                                        {"sse4", "SSE4", HWY_SSE4},
                                        {"plain", "plain", 0}}};

bool supports(std::int64_t target) {
  return (hwy::SupportedTargets() & target) != 0;
}

}  // namespace

bool uses_tiles() {
  return tiles_allowed.load(std::memory_order_relaxed) && supports(HWY_AVX3) && amx::available();
}

void allow_tiles(bool allowed) {
  tiles_allowed.store(allowed, std::memory_order_relaxed);
}

std::string instruction_set() {
  if (uses_tiles()) return std::string(kLevels[0].shown);
  for (const Level& level : kLevels)
    if (level.target != 0 && supports(level.target)) return std::string(level.shown);
  return std::string(kLevels.back().shown);
}

bool limit_instruction_set(std::string_view name) {
  std::size_t wanted = 0;
  while (wanted < kLevels.size() && kLevels[wanted].name != name) ++wanted;
  if (wanted == kLevels.size()) return false;
  if (wanted == 0) return true;
  allow_tiles(false);
  // Highway's levels are bits, the better the lower; what is below the wanted one goes.
  const std::int64_t lowest_kept = kLevels[wanted].target != 0 ? kLevels[wanted].target : HWY_SCALAR;
  hwy::DisableTargets(lowest_kept - 1);
  return true;
}

}  // namespace bitlens::kernels
