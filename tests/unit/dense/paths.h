// Runs a piece of code once per way the products can be computed here: every instruction set that was built,
// those that have them also with dot products of 16-bit integers, and the tile unit where the processor has
// one.
#pragma once

#include <string>

#include "kernels/dense/instruction_set.h"
#include "tests/unit/formats/targets.h"

namespace bitlens::testing {

inline constexpr const char* kTiles = "AMX";

/// Calls run(name) with dispatch pinned to each path in turn, the plainest first, kTiles last.
template <class Run>
void on_every_path(Run run) {
  kernels::allow_tiles(false);
  kernels::allow_dot_products(false);
  on_every_target(run);
  kernels::allow_dot_products(true);
  on_every_target([&](const char* target) {
    if (kernels::uses_dot_products()) run((std::string(target) + " + VNNI").c_str());
  });
  kernels::allow_tiles(true);
  if (kernels::uses_tiles()) run(kTiles);
}

}  // namespace bitlens::testing
