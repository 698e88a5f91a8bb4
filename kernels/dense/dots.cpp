#include "kernels/dense/dots.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/dots.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kStep = 16;
using Tag = hn::CappedTag<float, kStep>;
using Vector = hn::Vec<Tag>;
constexpr std::size_t kLanes = hn::MaxLanes(Tag());
constexpr std::size_t kParts = kStep / kLanes;
constexpr std::size_t kPiece = 4096;

/// kCount others over one piece.
template <std::size_t kCount>
HWY_INLINE void add_piece(const float* vector, const float* const* others, std::size_t offset,
                          std::size_t length, double* sums) {
  const Tag d;
  Vector parts[kCount][kParts];
  for (auto& row : parts)
    for (Vector& part : row) part = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kStep <= length; i += kStep)
    for (std::size_t p = 0; p < kParts; ++p) {
      const Vector v = hn::LoadU(d, vector + offset + i + p * kLanes);
      for (std::size_t c = 0; c < kCount; ++c)
        parts[c][p] = hn::MulAdd(v, hn::LoadU(d, others[c] + offset + i + p * kLanes), parts[c][p]);
    }
  HWY_ALIGN float room[2][kStep] = {};
  const std::size_t rest = length - i;
  for (std::size_t j = 0; j < rest; ++j) room[0][j] = vector[offset + i + j];
  for (std::size_t c = 0; c < kCount; ++c) {
    if (rest != 0) {
      for (std::size_t j = 0; j < rest; ++j) room[1][j] = others[c][offset + i + j];
      for (std::size_t p = 0; p < kParts; ++p)
        parts[c][p] =
            hn::MulAdd(hn::Load(d, room[0] + p * kLanes), hn::Load(d, room[1] + p * kLanes), parts[c][p]);
    }
    HWY_ALIGN float lanes[kStep];
    for (std::size_t p = 0; p < kParts; ++p) hn::Store(parts[c][p], d, lanes + p * kLanes);
    double sum = 0.0;
    for (const float lane : lanes) sum += static_cast<double>(lane);
    sums[c] += sum;
  }
}

void add_all(const float* vector, const float* const* others, std::size_t count, std::size_t length,
             double* sums) {
  for (std::size_t offset = 0; offset < length; offset += kPiece) {
    const std::size_t piece = length - offset < kPiece ? length - offset : kPiece;
    std::size_t c = 0;
    for (; c + 6 <= count; c += 6) add_piece<6>(vector, others + c, offset, piece, sums + c);
    for (; c + 4 <= count; c += 4) add_piece<4>(vector, others + c, offset, piece, sums + c);
    for (; c + 2 <= count; c += 2) add_piece<2>(vector, others + c, offset, piece, sums + c);
    if (c < count) add_piece<1>(vector, others + c, offset, piece, sums + c);
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(add_all);

void add_dots(const float* vector, const float* const* others, std::size_t count, std::size_t length,
              double* sums) {
  HWY_DYNAMIC_DISPATCH(add_all)(vector, others, count, length, sums);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
