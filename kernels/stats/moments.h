// Count, mean, centred sums of powers and range of f32 values, in double.
//
// Partial results are merged by the pairwise update of Chan, Golub & LeVeque (1983), for the third and fourth
// power that of Pebay (SAND2008-6212). Sums run in sixteen fixed lanes, so the bits do not depend on the
// instruction set.
#pragma once

#include <cstddef>
#include <limits>

namespace bitlens::kernels {

struct Moments {
  double count = 0;
  double mean = 0;
  double m2 = 0, m3 = 0, m4 = 0;  ///< sum of (x - mean)^k
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();

  [[nodiscard]] float abs_max() const { return count > 0 ? (max > -min ? max : -min) : 0.0F; }
  /// Adds the values `other` stands for. Order matters in the last bits: merge in a fixed one.
  void merge(const Moments& other);
};

/// Powers up to the second; m3 and m4 stay 0. All values finite.
[[nodiscard]] Moments second_moments(const float* values, std::size_t count);
/// Powers up to the fourth. All values finite.
[[nodiscard]] Moments fourth_moments(const float* values, std::size_t count);

}  // namespace bitlens::kernels
