// Numbers as people read them: bytes, bits per weight, shares, durations, values with their error. Follows
// the locale in use. Sizes are decimal (1 MB = 1,000,000 bytes), as file managers and model pages give them.
#pragma once

#include <QString>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bitlens::views {

/// Text from a file or the engine, made safe to show: control characters and invalid UTF-8 escaped, cut at
/// `limit`.
[[nodiscard]] QString shown(std::string_view text, std::size_t limit = 400);

[[nodiscard]] QString bytes_text(quint64 bytes);                      ///< "98.4 MB"
[[nodiscard]] QString exact_bytes_text(quint64 bytes);                ///< "98,362,432 bytes"
[[nodiscard]] QString bpw_text(double bits);                          ///< "4.61"
[[nodiscard]] QString share_text(double share, int significant = 3);  ///< 0.0123 -> "1.23 %"
[[nodiscard]] QString number_text(double value, int significant = 4);
/// For narrow places: "0.12", "0.0043", "5.3e-5".
[[nodiscard]] QString short_number_text(double value, int significant = 2);
/// An error relative to its value: "±9%".
[[nodiscard]] QString relative_error_text(double value, double error);
[[nodiscard]] QString count_text(quint64 count);
/// "18.92 ± 0.21": the value with as many decimals as its error deserves.
[[nodiscard]] QString value_text(double value, double error);
[[nodiscard]] QString duration_text(double seconds);  ///< "01:10", "2:03:04"
[[nodiscard]] QString shape_text(
    const std::vector<std::uint64_t>& shape);  ///< "576 × 1536", row length first

}  // namespace bitlens::views
