#include "kernels/dense/instruction_set.h"

#include <array>
#include <atomic>
#include <cstdint>

#include "kernels/dense/amx.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/instruction_set.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "hwy/highway.h"

#if HWY_ARCH_X86
#include <cpuid.h>
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

std::int64_t this_target() {
  return HWY_TARGET;
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(this_target);

namespace {

std::atomic<bool> tiles_allowed{true}, dot_products_allowed{true};

/// Levels from the best down: name to ask for, name to show, Highway's bit.
struct Level {
  std::string_view name, shown;
  std::int64_t target;
};
constexpr std::array<Level, 5> kLevels{{{"amx", "AVX-512 + AMX", HWY_AVX3},
                                        {"avx512", "AVX-512", HWY_AVX3},
                                        {"avx2", "AVX2", HWY_AVX2},
                                        {"sse4", "SSE4", HWY_SSE4},
                                        {"plain", "plain", HWY_SCALAR}}};

#if HWY_ARCH_X86
/// __builtin_cpu_supports() of Clang 16 does not know this one: bit 4 of EAX of leaf 7, subleaf 1.
bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1U) != 0;
}
#endif

/// What code dispatched by Highway runs with now.
std::int64_t target_in_use() {
  return HWY_DYNAMIC_DISPATCH(this_target)();
}

}  // namespace

bool uses_tiles() {
  return tiles_allowed.load(std::memory_order_relaxed) && target_in_use() == HWY_AVX3 && amx::available();
}

bool uses_dot_products() {
  if (!dot_products_allowed.load(std::memory_order_relaxed)) return false;
#if HWY_ARCH_X86
  switch (target_in_use()) {
    case HWY_AVX3:
      return __builtin_cpu_supports("avx512vnni") != 0;
    case HWY_AVX2:
      return has_avx_vnni();
    default:
      return false;
  }
#else
  return false;
#endif
}

void allow_tiles(bool allowed) {
  tiles_allowed.store(allowed, std::memory_order_relaxed);
}

void allow_dot_products(bool allowed) {
  dot_products_allowed.store(allowed, std::memory_order_relaxed);
}

std::string instruction_set() {
  if (uses_tiles()) return std::string(kLevels[0].shown);
  const std::int64_t target = target_in_use();
  for (std::size_t i = 1; i < kLevels.size(); ++i)
    if (kLevels[i].target == target)
      return std::string(kLevels[i].shown) + (uses_dot_products() ? " + VNNI" : "");
  return hwy::TargetName(target);
}

bool limit_instruction_set(std::string_view name) {
  std::size_t wanted = 0;
  while (wanted < kLevels.size() && kLevels[wanted].name != name) ++wanted;
  if (wanted == kLevels.size()) return false;
  if (wanted == 0) return true;
  allow_tiles(false);
  // The better a target, the lower its bit. (Not DisableTargets: in Highway 1.0 the next question for the
  // supported targets undoes it.)
  const std::int64_t kept = hwy::SupportedTargets() & ~(kLevels[wanted].target - 1);
  hwy::SetSupportedTargetsForTest(kept);
  hwy::GetChosenTarget().Update(kept);
  return true;
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
