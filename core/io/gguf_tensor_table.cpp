// The tensor infos of a GGUF header, and where their data may stand.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/checked.h"
#include "core/io/gguf_header.h"
#include "core/io/gguf_limits.h"
#include "core/io/gguf_rules.h"

namespace bitlens::io {

namespace {

Result<std::string> read_name(HeaderReader& header, std::uint64_t index) {
  const auto what = [&] { return fmt::format("the name of tensor {}", index); };
  const std::uint64_t offset = header.in.position();
  const auto length = header.in.number<std::uint64_t>();
  if (!header.in.ok()) return header.ended(what(), {});
  if (length > max_tensor_name_bytes)
    return header.bad(fmt::format("{} is {} bytes long (limit {})", what(), length, max_tensor_name_bytes),
                      {}, offset);
  if (length == 0) return header.bad(what() + " is empty", {}, offset);
  std::string name = header.in.text(length);
  if (!header.in.ok()) return header.ended(what(), {});
  if (name.find('\0') != std::string::npos) return header.bad(what() + " contains a NUL byte", name, offset);
  return name;
}

Result<TensorInfo> read_tensor(HeaderReader& header, std::uint64_t index) {
  TensorInfo tensor;
  auto name = read_name(header, index);
  if (!name) return pass(name);
  tensor.name = *std::move(name);

  std::uint64_t offset = header.in.position();
  const auto dimensions = header.in.number<std::uint32_t>();
  if (!header.in.ok()) return header.ended("the number of dimensions", tensor.name);
  // ggml lets 0 dimensions pass as a single number; nothing writes that, and no layer could use it.
  if (dimensions == 0)
    return header.bad("the tensor has no dimensions, expected 1 to 4", tensor.name, offset);
  if (dimensions > max_dimensions)
    return header.bad(fmt::format("the tensor has {} dimensions, at most {}", dimensions, max_dimensions),
                      tensor.name, offset);
  offset = header.in.position();
  tensor.shape.resize(dimensions);
  header.in.bytes(std::as_writable_bytes(std::span(tensor.shape)));
  if (!header.in.ok()) return header.ended("the shape", tensor.name);

  const std::uint64_t type_offset = header.in.position();
  const auto type = header.in.number<std::uint32_t>();
  const std::uint64_t data_offset = header.in.number<std::uint64_t>();
  if (!header.in.ok()) return header.ended("the tensor info", tensor.name);
  const kernels::FormatInfo* format = kernels::find_format(type);
  if (format == nullptr) {
    const std::string_view removed = kernels::removed_format_name(type);
    return header.bad(removed.empty()
                          ? fmt::format("unknown tensor type {}", type)
                          : fmt::format("tensor type {} ({}) was removed from GGUF", type, removed),
                      tensor.name, type_offset);
  }
  tensor.format = format->format;
  const auto bytes = tensor_bytes(tensor.shape, *format);
  if (!bytes) return header.bad(bytes.error(), tensor.name, offset);
  tensor.bytes = *bytes;
  tensor.file_offset = data_offset;
  return tensor;
}

/// Positions of the tensors that have data, by offset.
std::vector<std::uint32_t> by_offset(const std::vector<TensorInfo>& tensors) {
  std::vector<std::uint32_t> order;
  order.reserve(tensors.size());
  for (std::uint32_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].bytes > 0) order.push_back(i);
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return tensors[a].file_offset < tensors[b].file_offset;
  };
  if (!std::is_sorted(order.begin(), order.end(), before))
    std::stable_sort(order.begin(), order.end(), before);
  return order;
}

/// Sum of all sizes, each padded: how long a data section without gaps would be.
std::optional<std::uint64_t> packed_bytes(const GgufHeader& header) {
  std::uint64_t sum = 0;
  for (const TensorInfo& tensor : header.tensors) {
    const auto padded = checked_align_up(tensor.bytes, header.alignment);
    const auto next = padded ? checked_add(sum, *padded) : std::nullopt;
    if (!next) return std::nullopt;
    sum = *next;
  }
  return sum;
}

/// Overlapping data is an error: a writer that streams tensors would be cheated of its sizes, and no program
/// writes such files. Gaps and any order are legal by the specification (ggml wants tight order): a warning.
Status check_arrangement(const HeaderReader& header, GgufHeader& out,
                         const std::vector<std::uint32_t>& order) {
  std::uint64_t gap_bytes = 0, gaps = 0;
  std::uint64_t expected = out.data_start;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const TensorInfo& tensor = out.tensors[order[k]];
    if (k > 0) {
      const TensorInfo& before = out.tensors[order[k - 1]];
      if (tensor.file_offset < before.file_offset + before.bytes)
        return header.bad(
            fmt::format("tensors \"{}\" and \"{}\" overlap", printable(before.name), printable(tensor.name)),
            tensor.name, tensor.file_offset);
    }
    if (tensor.file_offset > expected) {
      gap_bytes += tensor.file_offset - expected;
      ++gaps;
    }
    expected =
        checked_align_up(tensor.file_offset + tensor.bytes, out.alignment).value_or(header.file_bytes());
  }
  if (gaps > 0)
    out.warnings.push_back(
        fmt::format("{} gaps of together {} unused bytes between tensors", gaps, gap_bytes));
  if (!std::is_sorted(order.begin(), order.end()))
    out.warnings.emplace_back("the tensors' data stand in another order than the tensors");
  if (header.file_bytes() > expected)
    out.warnings.push_back(
        fmt::format("{} extra bytes after the last tensor are ignored", header.file_bytes() - expected));
  return {};
}

}  // namespace

Status read_tensor_infos(HeaderReader& header, std::uint64_t count, GgufHeader& out) {
  // The count may be a lie; beyond this the vector grows as it fills.
  out.tensors.reserve(std::min<std::uint64_t>(count, 65536));
  const auto name_of = [&](std::size_t i) -> std::string_view { return out.tensors[i].name; };
  std::size_t odd_names = 0, longest_names = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t offset = header.in.position();
    auto tensor = read_tensor(header, i);
    if (!tensor) return pass(tensor);
    if (!is_plain_text(tensor->name)) ++odd_names;
    if (tensor->name.size() == max_tensor_name_bytes) ++longest_names;
    out.tensors.push_back(*std::move(tensor));
    if (const auto first = out.names.insert(out.tensors.size() - 1, name_of))
      return header.bad(fmt::format("tensor appears twice (tensors {} and {})", *first, i),
                        out.tensors.back().name, offset);
  }
  if (odd_names > 0)
    out.warnings.push_back(
        fmt::format("{} tensor names contain control characters or invalid UTF-8", odd_names));
  if (longest_names > 0)
    out.warnings.push_back(
        fmt::format("{} tensor names are 64 bytes long; llama.cpp reads at most 63", longest_names));
  return {};
}

Status place_tensors(const HeaderReader& header, GgufHeader& out) {
  const std::uint64_t size = header.file_bytes();
  // The header is at most 256 MiB and the alignment at most 1 MiB: no overflow here.
  out.data_start = checked_align_up(header.in.position(), out.alignment).value_or(size);
  const auto packed = packed_bytes(out);
  const auto packed_end = packed ? checked_add(out.data_start, *packed) : std::nullopt;
  if (!packed_end)
    return header.bad("the sizes of the tensors add up to more than 2^64 bytes", {}, header.in.position());

  std::uint64_t needed = 0;
  const TensorInfo* outside = nullptr;
  for (TensorInfo& tensor : out.tensors) {
    if (tensor.file_offset % out.alignment != 0)
      return header.bad(fmt::format("data offset {} is not a multiple of the alignment {}",
                                    tensor.file_offset, out.alignment),
                        tensor.name, header.in.position());
    const auto start = checked_add(out.data_start, tensor.file_offset);
    const auto end = start ? checked_add(*start, tensor.bytes) : std::nullopt;
    // A cut file lacks the end of its packed data; an offset beyond that is simply wrong.
    if (!end || (*end > size && *end > *packed_end))
      return header.bad(
          fmt::format("data offset {} lies outside the file of {} bytes", tensor.file_offset, size),
          tensor.name, header.in.position());
    tensor.file_offset = *start;
    if (tensor.bytes == 0) continue;
    if (*end > size && outside == nullptr) outside = &tensor;
    needed = std::max(needed, *end);
  }
  if (outside != nullptr && size <= out.data_start)
    return header.bad("the file ends before the data section; probably an incomplete download", outside->name,
                      size);
  if (outside != nullptr)
    return header.bad(
        fmt::format("the file is {} bytes shorter than its tensors need; probably an incomplete download",
                    needed - size),
        outside->name, size);
  return check_arrangement(header, out, by_offset(out.tensors));
}

}  // namespace bitlens::io
