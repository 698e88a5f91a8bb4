#include "core/quantize/importance.h"

#include <algorithm>

namespace bitlens::quantize {

void Importance::fill(std::size_t tensor, const io::TensorInfo& info, std::uint64_t first,
                      std::span<float> target) const {
  const std::vector<float>& known = columns[tensor];
  const std::uint64_t row = info.row_length();
  const std::uint64_t matrices = known.size() / row;
  const std::uint64_t matrix_elements = row * (info.shape.size() > 1 ? info.shape[1] : 1);
  for (std::size_t at = 0; at < target.size();) {
    const std::uint64_t element = first + at;
    const std::uint64_t matrix = matrices > 1 ? element / matrix_elements : 0;
    const std::uint64_t column = element % row;
    const auto count = std::min<std::uint64_t>(row - column, target.size() - at);
    std::copy_n(known.begin() + static_cast<std::ptrdiff_t>(matrix * row + column), count,
                target.begin() + static_cast<std::ptrdiff_t>(at));
    at += count;
  }
}

}  // namespace bitlens::quantize
