// Reproducible values for the dense kernels, and how far apart two results are.
#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace bitlens::testing {

inline std::vector<float> normal_values(std::size_t count, unsigned seed, float sigma = 1.0F) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution(0.0F, sigma);
  std::vector<float> values(count);
  for (float& value : values) value = distribution(generator);
  return values;
}

inline double largest_difference(const std::vector<float>& values, const std::vector<double>& expected) {
  double largest = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(values[i]) - expected[i]);
    if (!(difference <= largest)) largest = difference;  // NaN stays
  }
  return largest;
}

}  // namespace bitlens::testing
