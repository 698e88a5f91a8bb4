// What each family of formats offers to codec.cpp. `count` is in weights and a whole number of blocks.
#pragma once

#include <cstddef>

namespace bitlens::kernels {

// float_formats.cpp
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

}  // namespace bitlens::kernels
