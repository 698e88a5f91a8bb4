// Aligned plain-text tables and the few number formats all commands share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitlens::cli {

enum class Align { Left, Right };

/// Columns two spaces apart, as wide as their widest cell (in code points), no trailing blanks.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::Left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] std::string render() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "Model         tiny.gguf" lines: labels padded to one width.
class Facts {
 public:
  void add(std::string label, std::string value);
  [[nodiscard]] std::string render() const;

 private:
  std::vector<std::pair<std::string, std::string>> facts_;
};

/// "98.1 MB" (powers of 1000).
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);
/// "98123456 bytes (98.1 MB)"
[[nodiscard]] std::string exact_bytes(std::uint64_t bytes);
/// "576 x 1536"
[[nodiscard]] std::string shape_text(const std::vector<std::uint64_t>& shape);
/// Six significant digits; "n/a" for NaN.
[[nodiscard]] std::string number(double value);
/// "23.0111 +- 0.5432"
[[nodiscard]] std::string with_error(double value, double error);

}  // namespace bitlens::cli
