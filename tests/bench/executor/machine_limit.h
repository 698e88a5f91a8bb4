// What the machine gives for the products of a model alone: the rate of a tuned library (oneDNN, on its own
// threads) on the same shapes.
#pragma once

#include <optional>
#include <string>

#include "tests/bench/executor/random_model.h"

namespace bitlens::bench {

enum class Arithmetic { F32, Bf16, Int8 };
[[nodiscard]] const char* arithmetic_name(Arithmetic arithmetic);

/// Runs the seven products of one block once on 512 rows; tokens per second if nothing else were done in all
/// layers. nullopt: the library has no such product on this processor.
class MachineLimit {
 public:
  MachineLimit(const Shape& shape, Arithmetic arithmetic, int threads);
  ~MachineLimit();
  [[nodiscard]] std::optional<double> tokens_per_second();
  /// The implementation the library picked, empty if it has none.
  [[nodiscard]] std::string implementation() const;

 private:
  struct Product;
  Shape shape_;
  int threads_;
  std::vector<Product> products_;
};

}  // namespace bitlens::bench
