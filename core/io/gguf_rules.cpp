#include "core/io/gguf_rules.h"

#include <fmt/format.h>

#include <limits>

#include "core/base/checked.h"
#include "core/io/gguf_limits.h"

namespace bitlens::io {

tl::expected<std::uint64_t, std::string> tensor_bytes(std::span<const std::uint64_t> shape,
                                                      const kernels::FormatInfo& format) {
  constexpr auto largest =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());  // ggml's own limit
  std::uint64_t elements = 1;
  bool empty = false;
  for (const std::uint64_t dimension : shape) {
    if (dimension > largest)
      return tl::unexpected(fmt::format("dimension {} is out of range (at most 2^63 - 1)", dimension));
    if (dimension == 0) {
      empty = true;
      continue;
    }
    const auto product = checked_mul(elements, dimension);
    if (!product || *product > largest) return tl::unexpected<std::string>("the shape has too many elements");
    elements = *product;
  }
  if (format.block_size == 0 || format.block_bytes == 0)
    return tl::unexpected(fmt::format("tensors of type {} have no defined size", format.name));
  if (!shape.empty() && shape[0] % format.block_size != 0)
    return tl::unexpected(fmt::format("row length {} is not a multiple of the block size {} of {}", shape[0],
                                      format.block_size, format.name));
  const std::uint64_t blocks = elements / format.block_size + (elements % format.block_size != 0 ? 1 : 0);
  const auto bytes = checked_mul(blocks, format.block_bytes);
  if (!bytes || *bytes > largest)
    return tl::unexpected<std::string>("the size of the tensor overflows 64 bits");
  return empty ? 0 : *bytes;
}

tl::expected<std::uint64_t, std::string> alignment_of(const Metadata& metadata) {
  const MetadataValue* value = metadata.find(alignment_key);
  if (value == nullptr) return default_alignment;
  const auto* alignment = std::get_if<std::uint32_t>(value);
  if (alignment == nullptr)
    return tl::unexpected(fmt::format("has type {}, expected uint32", metadata_type_name(type_of(*value))));
  if (*alignment == 0 || (*alignment & (*alignment - 1)) != 0)
    return tl::unexpected(fmt::format("is {}, must be a power of two and a multiple of 8", *alignment));
  if (*alignment > max_alignment)
    return tl::unexpected(
        fmt::format("is {}, which is unreasonably large (limit {})", *alignment, max_alignment));
  return *alignment;
}

}  // namespace bitlens::io
