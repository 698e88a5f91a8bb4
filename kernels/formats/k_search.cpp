// Searching encoders of Q2_K Q3_K Q4_K Q5_K Q6_K. Plain rounding has no agreed definition for these formats
// (the reference encoder searches, too), so both quantizers are this one.
#include <cstdint>
#include <iterator>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"
#include "kernels/formats/k_packing.h"

#define HWY_TARGET_INCLUDE "kernels/formats/k_search.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/formats/super_encode-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

constexpr float kDown3[] = {2.4F, 2.7F, 3.0F, 3.3F, 3.6F, 3.9F, 4.1F, 4.3F, 4.6F, 5.0F, 5.5F, 6.2F};
constexpr float kUp3[] = {2.1F, 2.4F, 2.7F, 3.0F, 3.2F, 3.4F, 3.8F, 4.4F};
constexpr float kDown6[] = {27.5F, 28.5F, 29.5F, 30.2F, 30.9F, 31.6F, 32.1F, 32.6F};
constexpr float kUp6[] = {28.0F, 29.2F, 30.4F, 31.4F};

constexpr ScaleScheme kScheme3{kDown3, std::size(kDown3), kUp3, std::size(kUp3), -32.0F, 31.0F, 1, 2};
constexpr ScaleScheme kScheme6{kDown6, std::size(kDown6), kUp6, std::size(kUp6), -128.0F, 127.0F, 10, 1};

constexpr float kCuts2[][2] = {{-0.3F, -0.3F}, {-0.3F, 0.0F}, {-0.3F, 0.3F}, {-0.3F, 0.6F},
                               {0.0F, -0.3F},  {0.0F, 0.0F},  {0.0F, 0.3F},  {0.0F, 0.6F},
                               {0.3F, -0.3F},  {0.3F, 0.0F},  {0.3F, 0.3F},  {0.3F, 0.6F},
                               {0.6F, -0.3F},  {0.6F, 0.0F},  {0.6F, 0.3F},  {0.6F, 0.6F}};
constexpr float kCuts4[][2] = {{-0.4F, -0.4F}, {-0.4F, 0.1F}, {-0.4F, 0.6F}, {-0.4F, 1.1F},
                               {0.1F, -0.4F},  {0.1F, 0.1F},  {0.1F, 0.6F},  {0.1F, 1.1F},
                               {0.6F, -0.4F},  {0.6F, 0.1F},  {0.6F, 0.6F},  {0.6F, 1.1F},
                               {1.1F, -0.4F},  {1.1F, 0.1F},  {1.1F, 0.6F},  {1.1F, 1.1F}};
constexpr LineScheme kScheme2{3.0F, 15.0F, kCuts2, std::size(kCuts2), 1, 2};
constexpr LineScheme kScheme4{15.0F, 63.0F, kCuts4, std::size(kCuts4), 2, 2};
constexpr LineScheme kScheme5{31.0F, 63.0F, kCuts4, std::size(kCuts4), 2, 2};

void search_q2_k_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, const std::uint8_t* scales, const std::uint8_t* minima,
                       BlockQ2_K& block) {
    for (int i = 0; i < 16; ++i) {
      block.scales[i] = static_cast<std::uint8_t>(scales[i] | (minima[i] << 4));
    }
    pack_two_bits(codes, 0, block.qs);
  };
  if (importance != nullptr) {
    encode_lined_supers<BlockQ2_K, 16, true>(source, importance, target, count, kScheme2, pack);
  } else {
    encode_lined_supers<BlockQ2_K, 16, false>(source, importance, target, count, kScheme2, pack);
  }
}

void search_q4_k_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, const std::uint8_t* scales, const std::uint8_t* minima,
                       BlockQ4_K& block) {
    pack_scales_and_minima(scales, minima, block.scales);
    pack_four_bits(codes, block.qs);
  };
  if (importance != nullptr) {
    encode_lined_supers<BlockQ4_K, 32, true>(source, importance, target, count, kScheme4, pack);
  } else {
    encode_lined_supers<BlockQ4_K, 32, false>(source, importance, target, count, kScheme4, pack);
  }
}

void search_q5_k_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, const std::uint8_t* scales, const std::uint8_t* minima,
                       BlockQ5_K& block) {
    pack_scales_and_minima(scales, minima, block.scales);
    pack_four_bits(codes, block.qs);
    pack_top_bits(codes, 4, block.qh);
  };
  if (importance != nullptr) {
    encode_lined_supers<BlockQ5_K, 32, true>(source, importance, target, count, kScheme5, pack);
  } else {
    encode_lined_supers<BlockQ5_K, 32, false>(source, importance, target, count, kScheme5, pack);
  }
}

void search_q3_k_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, const float* scales, BlockQ3_K& block) {
    std::uint8_t shifted[16];
    for (int i = 0; i < 16; ++i) {
      shifted[i] = static_cast<std::uint8_t>(static_cast<int>(scales[i]) + 32);
    }
    pack_six_bit_scales(shifted, block.scales);
    pack_two_bits(codes, 0, block.qs);
    pack_top_bits(codes, 2, block.hmask);
  };
  const Grid grid{-4.0F, 3.0F};
  if (importance != nullptr) {
    encode_scaled_supers<BlockQ3_K, 16, true>(source, importance, target, count, grid, kScheme3, pack);
  } else {
    encode_scaled_supers<BlockQ3_K, 16, false>(source, importance, target, count, grid, kScheme3, pack);
  }
}

void search_q6_k_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, const float* scales, BlockQ6_K& block) {
    for (int i = 0; i < 16; ++i) {
      block.scales[i] = static_cast<std::int8_t>(scales[i]);
    }
    pack_six_bits(codes, block.ql, block.qh);
  };
  const Grid grid{-32.0F, 31.0F};
  if (importance != nullptr) {
    encode_scaled_supers<BlockQ6_K, 16, true>(source, importance, target, count, grid, kScheme6, pack);
  } else {
    encode_scaled_supers<BlockQ6_K, 16, false>(source, importance, target, count, grid, kScheme6, pack);
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(search_q2_k_blocks);
HWY_EXPORT(search_q3_k_blocks);
HWY_EXPORT(search_q4_k_blocks);
HWY_EXPORT(search_q5_k_blocks);
HWY_EXPORT(search_q6_k_blocks);

void encode_q2_k(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q2_k_blocks)(source, importance, target, count);
}
void encode_q3_k(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q3_k_blocks)(source, importance, target, count);
}
void encode_q4_k(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q4_k_blocks)(source, importance, target, count);
}
void encode_q5_k(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q5_k_blocks)(source, importance, target, count);
}
void encode_q6_k(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q6_k_blocks)(source, importance, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
