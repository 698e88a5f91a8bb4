// Rows of weights that encoders must survive: ordinary ones and extremes.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace bitlens::testing {

struct Sample {
  std::string name;
  std::vector<float> weights;
};

/// Every row has `count` weights. Always the same values.
inline std::vector<Sample> weight_samples(std::size_t count) {
  std::mt19937 engine(20240607);  // the engine is specified exactly; distributions are not, hence bell()
  const auto uniform = [&engine] { return static_cast<float>(engine() >> 8) * 0x1p-24F; };
  const auto bell = [&uniform] {
    return (uniform() + uniform() + uniform() + uniform() - 2.0F) * 1.7320508F;
  };
  const auto fill = [count](auto make) {
    std::vector<float> row(count);
    for (std::size_t i = 0; i < count; ++i) {
      row[i] = make(i);
    }
    return row;
  };
  const float huge = std::numeric_limits<float>::max();
  std::vector<Sample> samples;
  samples.push_back({"bell", fill([&](std::size_t) { return 0.02F * bell(); })});
  samples.push_back({"heavy tails", fill([&](std::size_t) {
                       const float b = bell();
                       return 0.01F * b * b * b;
                     })});
  samples.push_back({"uniform", fill([&](std::size_t) { return uniform() - 0.3F; })});
  samples.push_back({"zeros", fill([](std::size_t) { return 0.0F; })});
  samples.push_back({"negative zeros", fill([](std::size_t i) { return i % 2 == 0 ? 0.0F : -0.0F; })});
  samples.push_back({"constant", fill([](std::size_t) { return 0.75F; })});
  samples.push_back({"negative constant", fill([](std::size_t) { return -0.123F; })});
  samples.push_back({"single outlier", fill([](std::size_t i) { return i % 256 == 37 ? 3.5F : 0.0F; })});
  samples.push_back(
      {"outlier in noise", fill([&](std::size_t i) { return i % 256 == 200 ? -40.0F : 0.01F * bell(); })});
  samples.push_back(
      {"60000", fill([&](std::size_t i) { return i % 3 == 0 ? 6.0e4F : (i % 3 == 1 ? -6.0e4F : bell()); })});
  samples.push_back({"beyond F16", fill([&](std::size_t) { return 1.0e6F * bell(); })});
  samples.push_back({"largest floats", fill([&](std::size_t i) { return i % 2 == 0 ? huge : -huge; })});
  samples.push_back({"one largest float", fill([&](std::size_t i) { return i % 64 == 5 ? huge : bell(); })});
  samples.push_back({"F16 subnormals", fill([&](std::size_t) { return 1.0e-6F * bell(); })});
  samples.push_back({"near the least F16", fill([&](std::size_t) { return 1.0e-7F * bell(); })});
  samples.push_back({"f32 subnormals", fill([&](std::size_t) { return 1.0e-40F * bell(); })});
  samples.push_back({"least floats", fill([](std::size_t i) { return i % 2 == 0 ? 1.0e-45F : 0.0F; })});
  samples.push_back({"positive", fill([&](std::size_t) { return 0.5F + 0.1F * bell(); })});
  samples.push_back({"far from zero", fill([&](std::size_t) { return 100.0F + 0.01F * bell(); })});
  samples.push_back({"steps", fill([](std::size_t i) {
                       return static_cast<float>(static_cast<int>(i % 16) - 8) * 0.125F;
                     })});
  samples.push_back({"mixed magnitudes", fill([&](std::size_t i) {
                       return bell() * std::ldexp(1.0F, static_cast<int>((i / 32) % 40) - 30);
                     })});
  samples.push_back({"half empty", fill([&](std::size_t i) { return (i / 16) % 2 == 0 ? 0.0F : bell(); })});
  return samples;
}

/// Non-negative importances, of wide range and with zeros.
inline std::vector<float> importance_sample(std::size_t count) {
  std::mt19937 engine(77);
  std::vector<float> importance(count);
  for (std::size_t i = 0; i < count; ++i) {
    const float u = static_cast<float>(engine() >> 8) * 0x1p-24F;
    importance[i] = i % 17 == 3 ? 0.0F : u * u * u * 10.0F + 1.0e-3F;
  }
  return importance;
}

/// sum w (a - b)^2 in double; w may be null.
inline double squared_error(const float* a, const float* b, const float* w, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += (w != nullptr ? static_cast<double>(w[i]) : 1.0) * difference * difference;
  }
  return sum;
}

}  // namespace bitlens::testing
