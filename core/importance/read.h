// What the two readers share.
#pragma once

#include <cstdint>
#include <string>

#include "core/importance/imatrix.h"

namespace bitlens::importance {

/// Longest name of a tensor that is believed.
inline constexpr std::uint64_t kMaxName = 1024;
/// Entries of the largest models are a thousandth of this.
inline constexpr std::uint64_t kMaxEntries = 1U << 20U;
/// Values in one file: the experts of the largest models need a quarter of this.
inline constexpr std::uint64_t kMaxValues = 1ULL << 30U;

/// Refuses sums and counts that cannot be those of squares. `sums_at`, `counts_at`: where they stand in the
/// file.
[[nodiscard]] Status check_entry(const ImatrixEntry& entry, const std::string& path, std::uint64_t sums_at,
                                 std::uint64_t counts_at);

[[nodiscard]] Result<Imatrix> read_imatrix_gguf(const std::string& path);
[[nodiscard]] Result<Imatrix> read_imatrix_dat(const std::string& path);

}  // namespace bitlens::importance
