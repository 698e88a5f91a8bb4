// How much a GGUF header may hold, for reading and for writing. "No more than the file has bytes" alone
// bounds nothing: a file of a terabyte of holes costs no disk. The largest real headers (vocabularies of 256
// thousand tokens with their merges) stay below 20 MiB, 2000 tensors and 100 keys.
#pragma once

#include <cstdint>

namespace bitlens::io {

inline constexpr std::uint64_t fixed_header_bytes = 24;  ///< magic, version, two counts

inline constexpr std::uint64_t max_header_bytes = std::uint64_t{256} << 20;
inline constexpr std::uint64_t max_metadata_entries = std::uint64_t{1} << 20;
inline constexpr std::uint64_t max_tensors = std::uint64_t{1} << 20;
inline constexpr std::uint64_t max_array_strings = std::uint64_t{1} << 22;  ///< of all arrays together
inline constexpr std::uint64_t max_string_bytes = std::uint64_t{64} << 20;
inline constexpr std::uint64_t max_key_bytes = 65535;       ///< GGUF specification
inline constexpr std::uint64_t max_tensor_name_bytes = 64;  ///< GGUF specification; ggml reads at most 63
inline constexpr std::uint32_t max_dimensions = 4;
inline constexpr std::uint64_t default_alignment = 32;
inline constexpr std::uint64_t max_alignment = std::uint64_t{1} << 20;

/// Smallest records: key length 8 + key 1 + type 4 + value 1; name length 8 + name 1 + dimension count 4 +
/// one dimension 8 + type 4 + offset 8.
inline constexpr std::uint64_t min_entry_bytes = 14, min_tensor_bytes = 33;

}  // namespace bitlens::io
