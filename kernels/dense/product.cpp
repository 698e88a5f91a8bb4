#include "kernels/dense/product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/product.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/dense/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

std::size_t panel_width_of_target() {
  return kPanel;
}

// Square pieces, so that both the rows read and the lines written stay in the first cache.
void pack_weight_panel(const float* rows, std::size_t count, std::size_t inputs, float* HWY_RESTRICT panel) {
  for (std::size_t k = 0; k < inputs; k += kPanel) {
    const std::size_t depth = inputs - k < kPanel ? inputs - k : kPanel;
    for (std::size_t j = 0; j < kPanel; ++j) {
      float* target = panel + k * kPanel + j;
      const float* source = rows + j * inputs + k;
      if (j < count) {
        for (std::size_t i = 0; i < depth; ++i) target[i * kPanel] = source[i];
      } else {
        for (std::size_t i = 0; i < depth; ++i) target[i * kPanel] = 0.0F;
      }
    }
  }
}

void multiply_panels(const float* panels, std::size_t columns, std::size_t depth, const float* x,
                     std::size_t rows, std::size_t x_stride, float* y, std::size_t y_stride,
                     bool accumulate) {
  gemm(panels, depth * kPanel, columns, depth, x, x_stride, rows, y, y_stride, accumulate);
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(panel_width_of_target);
HWY_EXPORT(pack_weight_panel);
HWY_EXPORT(multiply_panels);

std::size_t panel_width() {
  return HWY_DYNAMIC_DISPATCH(panel_width_of_target)();
}

bool PackedMatrix::reset(std::size_t outputs, std::size_t inputs) {
  outputs_ = inputs_ = 0;
  width_ = panel_width();
  const std::size_t padded = (outputs + width_ - 1) / width_ * width_;
  if (inputs != 0 && padded > static_cast<std::size_t>(-1) / inputs) return false;
  if (!data_.resize(padded * inputs)) return false;
  outputs_ = outputs;
  inputs_ = inputs;
  return true;
}

void PackedMatrix::pack_panel(std::size_t panel, const float* rows) {
  HWY_DYNAMIC_DISPATCH(pack_weight_panel)
  (rows, rows_of(panel), inputs_, data_.data() + panel * inputs_ * width_);
}

void multiply(const PackedMatrix& weights, std::size_t first, std::size_t count, const float* x,
              std::size_t rows, std::size_t x_stride, float* y, std::size_t y_stride, bool accumulate) {
  const std::size_t begin = first * weights.width();
  std::size_t columns = count * weights.width();
  if (columns > weights.outputs() - begin) columns = weights.outputs() - begin;
  HWY_DYNAMIC_DISPATCH(multiply_panels)
  (weights.panel(first), columns, weights.inputs(), x, rows, x_stride, y, y_stride, accumulate);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
