// What each family of formats offers to codec.cpp. `count` is in weights and a whole number of blocks.
#pragma once

#include <cstddef>

namespace bitlens::kernels {

// float_formats.cpp
void decode_f32(const std::byte* source, float* target, std::size_t count);
void encode_f32(const float* source, std::byte* target, std::size_t count);
void decode_f16(const std::byte* source, float* target, std::size_t count);
void encode_f16(const float* source, std::byte* target, std::size_t count);
void decode_bf16(const std::byte* source, float* target, std::size_t count);
void encode_bf16(const float* source, std::byte* target, std::size_t count);

// simple_blocks.cpp: one scale (and offset) per 32 weights
void decode_q4_0(const std::byte* source, float* target, std::size_t count);
void decode_q4_1(const std::byte* source, float* target, std::size_t count);
void decode_q5_0(const std::byte* source, float* target, std::size_t count);
void decode_q5_1(const std::byte* source, float* target, std::size_t count);
void decode_q8_0(const std::byte* source, float* target, std::size_t count);
void encode_rtn_q4_0(const float* source, std::byte* target, std::size_t count);
void encode_rtn_q4_1(const float* source, std::byte* target, std::size_t count);
void encode_rtn_q5_0(const float* source, std::byte* target, std::size_t count);
void encode_rtn_q5_1(const float* source, std::byte* target, std::size_t count);
void encode_rtn_q8_0(const float* source, std::byte* target, std::size_t count);

// simple_search.cpp; importance may be null
void encode_search_q4_0(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_search_q4_1(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_search_q5_0(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_search_q5_1(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_search_q8_0(const float* source, const float* importance, std::byte* target, std::size_t count);

// unweighted_search.cpp: what the above do without importance
void encode_unweighted_q4_0(const float* source, std::byte* target, std::size_t count);
void encode_unweighted_q5_0(const float* source, std::byte* target, std::size_t count);
void encode_unweighted_q8_0(const float* source, std::byte* target, std::size_t count);

// k_decode.cpp, k_search.cpp
void decode_q2_k(const std::byte* source, float* target, std::size_t count);
void decode_q3_k(const std::byte* source, float* target, std::size_t count);
void decode_q4_k(const std::byte* source, float* target, std::size_t count);
void decode_q5_k(const std::byte* source, float* target, std::size_t count);
void decode_q6_k(const std::byte* source, float* target, std::size_t count);
void encode_q2_k(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_q3_k(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_q4_k(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_q5_k(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_q6_k(const float* source, const float* importance, std::byte* target, std::size_t count);

// iq4.cpp, ternary.cpp, fp4.cpp
void decode_iq4_nl(const std::byte* source, float* target, std::size_t count);
void decode_iq4_xs(const std::byte* source, float* target, std::size_t count);
void decode_tq1_0(const std::byte* source, float* target, std::size_t count);
void decode_tq2_0(const std::byte* source, float* target, std::size_t count);
void decode_mxfp4(const std::byte* source, float* target, std::size_t count);
void decode_nvfp4(const std::byte* source, float* target, std::size_t count);
void encode_iq4_nl(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_iq4_xs(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_tq1_0(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_tq2_0(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_mxfp4(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_nvfp4(const float* source, const float* importance, std::byte* target, std::size_t count);

// codebook.cpp
void decode_iq2_xxs(const std::byte* source, float* target, std::size_t count);
void decode_iq2_xs(const std::byte* source, float* target, std::size_t count);
void decode_iq2_s(const std::byte* source, float* target, std::size_t count);
void decode_iq3_xxs(const std::byte* source, float* target, std::size_t count);
void decode_iq3_s(const std::byte* source, float* target, std::size_t count);
void decode_iq1_s(const std::byte* source, float* target, std::size_t count);
void decode_iq1_m(const std::byte* source, float* target, std::size_t count);

// codebook_search.cpp
void encode_iq2_xxs(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_iq2_xs(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_iq2_s(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_iq3_xxs(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_iq3_s(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_iq1_s(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_iq1_m(const float* source, const float* importance, std::byte* target, std::size_t count);

// low_bits.cpp
void decode_q1_0(const std::byte* source, float* target, std::size_t count);
void decode_q2_0(const std::byte* source, float* target, std::size_t count);
void encode_q1_0(const float* source, const float* importance, std::byte* target, std::size_t count);
void encode_q2_0(const float* source, const float* importance, std::byte* target, std::size_t count);

}  // namespace bitlens::kernels
