// How far two scores agree on the order of cells.
#pragma once

#include <span>

namespace bitlens::sensitivity {

/// Spearman's rank correlation, -1..1: the Pearson correlation of ranks, equal values sharing the mean of
/// their ranks. Pairs with a NaN are left out; NaN with fewer than two pairs or when a side is constant.
[[nodiscard]] double spearman(std::span<const double> a, std::span<const double> b);

}  // namespace bitlens::sensitivity
