#include "app/cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace bitlens::cli {

namespace {

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void trim_end(std::string& line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
}

}  // namespace

std::string Table::render() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.title));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));

  std::string out;
  const auto add_line = [&](auto&& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string blanks(widths[i] - width_of(cell), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].align == Align::Right ? blanks + cell : cell + blanks;
    }
    trim_end(line);
    out += line + "\n";
  };
  add_line([&](std::size_t i) -> const std::string& { return columns_[i].title; });
  for (const auto& row : rows_) add_line([&](std::size_t i) -> const std::string& { return row[i]; });
  return out;
}

void Facts::add(std::string label, std::string value) {
  facts_.emplace_back(std::move(label), std::move(value));
}

std::string Facts::render() const {
  std::size_t width = 0;
  for (const auto& [label, value] : facts_) width = std::max(width, width_of(label));
  std::string out;
  for (const auto& [label, value] : facts_) {
    std::string line = label + std::string(width - width_of(label) + 2, ' ') + value;
    trim_end(line);
    out += line + "\n";
  }
  return out;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array units{"bytes", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string exact_bytes(std::uint64_t bytes) {
  return bytes < 1000 ? human_bytes(bytes) : fmt::format("{} bytes ({})", bytes, human_bytes(bytes));
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return fmt::format("{}", fmt::join(shape, " x "));
}

std::string number(double value) {
  if (std::isnan(value)) return "n/a";
  return fmt::format("{:.6g}", value);
}

std::string with_error(double value, double error) {
  return fmt::format("{} +- {}", number(value), std::isnan(error) ? "n/a" : fmt::format("{:.2g}", error));
}

}  // namespace bitlens::cli
