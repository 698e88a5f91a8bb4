#include "core/io/gguf_layout.h"

#include <fmt/format.h>

#include <limits>
#include <type_traits>

#include "core/base/checked.h"
#include "core/base/name_index.h"
#include "core/io/gguf_limits.h"
#include "core/io/gguf_rules.h"

namespace bitlens::io {

namespace {

/// Where header bytes go: counted for the plan, kept for the file. One serializer for both, so that the plan
/// cannot differ from what is written.
struct ByteCount {
  std::uint64_t bytes = 0;
  void put(const void*, std::size_t count) { bytes += count; }
};
struct ByteString {
  std::string text;
  void put(const void* source, std::size_t count) {
    if (count > 0) text.append(static_cast<const char*>(source), count);
  }
};

template <typename Sink>
class HeaderWriter {
 public:
  explicit HeaderWriter(Sink& sink) : sink_(sink) {}

  template <typename T>
    requires std::is_arithmetic_v<T>
  void put(T number) {
    sink_.put(&number, sizeof(number));
  }
  void put(bool value) { put(std::uint8_t{value}); }
  void put(const std::string& text) {
    put(std::uint64_t{text.size()});
    sink_.put(text.data(), text.size());
  }
  void put(MetadataType type) { put(static_cast<std::uint32_t>(type)); }
  void put(const MetadataArray& array) {
    put(element_type_of(array));
    put(std::uint64_t{length_of(array)});
    std::visit([&](const auto& elements) { put_elements(elements); }, array);
  }
  void put(const MetadataEntry& entry) {
    put(entry.key);
    put(type_of(entry.value));
    std::visit([&](const auto& value) { put(value); }, entry.value);
  }
  void put(const TensorPlan& tensor, std::uint64_t offset) {
    put(tensor.name);
    put(static_cast<std::uint32_t>(tensor.shape.size()));
    for (const std::uint64_t dimension : tensor.shape) put(dimension);
    put(static_cast<std::uint32_t>(tensor.format));
    put(offset);
  }

 private:
  template <typename T>
  void put_elements(const std::vector<T>& elements) {
    sink_.put(elements.data(), elements.size() * sizeof(T));
  }
  void put_elements(const std::vector<std::string>& elements) {
    for (const std::string& element : elements) put(element);
  }
  void put_elements(const BoolArray& elements) { put_elements(elements.values); }

  Sink& sink_;
};

/// Everything before the padding. Offsets are relative to the data section.
template <typename Sink>
void write_header(Sink& sink, const Metadata& metadata, const std::vector<TensorPlan>& tensors,
                  const std::vector<std::uint64_t>& offsets) {
  HeaderWriter<Sink> out(sink);
  sink.put("GGUF", 4);
  out.put(std::uint32_t{3});
  out.put(std::uint64_t{tensors.size()});
  out.put(std::uint64_t{metadata.entries().size()});
  for (const MetadataEntry& entry : metadata.entries()) out.put(entry);
  for (std::size_t i = 0; i < tensors.size(); ++i) out.put(tensors[i], offsets[i]);
}

tl::unexpected<Error> invalid(std::string message, std::string_view object = {}) {
  return fail(ErrorCode::InvalidArgument, std::move(message), {{}, std::string(object), {}});
}

/// What our reader (and ggml's) would refuse may not be written.
Status check_metadata(const Metadata& metadata) {
  if (metadata.entries().size() > max_metadata_entries)
    return invalid(
        fmt::format("{} metadata entries, at most {}", metadata.entries().size(), max_metadata_entries));
  std::uint64_t strings = 0;
  const auto fits = [](const std::string& text) { return text.size() <= max_string_bytes; };
  for (const MetadataEntry& entry : metadata.entries()) {
    if (entry.key.empty() || entry.key.size() > max_key_bytes || entry.key.find('\0') != std::string::npos)
      return invalid(fmt::format("a key must have 1 to {} bytes and no NUL", max_key_bytes), entry.key);
    bool short_enough = true;
    if (const auto* text = std::get_if<std::string>(&entry.value)) short_enough = fits(*text);
    if (const auto* array = std::get_if<MetadataArray>(&entry.value)) {
      if (const auto* texts = std::get_if<std::vector<std::string>>(array)) {
        strings += texts->size();
        for (const std::string& text : *texts) short_enough = short_enough && fits(text);
      }
      if (const auto* bools = std::get_if<BoolArray>(array))
        for (const std::uint8_t value : bools->values)
          if (value > 1) return invalid(fmt::format("boolean value is {}, must be 0 or 1", value), entry.key);
    }
    if (!short_enough)
      return invalid(fmt::format("a string is longer than {} bytes", max_string_bytes), entry.key);
  }
  if (strings > max_array_strings)
    return invalid(fmt::format("{} strings in arrays, at most {}", strings, max_array_strings));
  return {};
}

Status check_names(const std::vector<TensorPlan>& tensors) {
  if (tensors.size() > max_tensors)
    return invalid(fmt::format("{} tensors, at most {}", tensors.size(), max_tensors));
  NameIndex names;
  const auto name_of = [&](std::size_t i) -> std::string_view { return tensors[i].name; };
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = tensors[i].name;
    if (name.empty() || name.size() > max_tensor_name_bytes || name.find('\0') != std::string::npos)
      return invalid(
          fmt::format("the name of tensor {} must have 1 to {} bytes and no NUL", i, max_tensor_name_bytes),
          name);
    if (tensors[i].shape.empty() || tensors[i].shape.size() > max_dimensions)
      return invalid(fmt::format("the tensor has {} dimensions, expected 1 to 4", tensors[i].shape.size()),
                     name);
    if (names.insert(i, name_of)) return invalid("two tensors have this name", name);
  }
  return {};
}

}  // namespace

Result<GgufLayout> plan_gguf(const Metadata& metadata, const std::vector<TensorPlan>& tensors) {
  if (auto s = check_metadata(metadata); !s) return pass(s);
  if (auto s = check_names(tensors); !s) return pass(s);
  const auto alignment = alignment_of(metadata);
  if (!alignment) return invalid(alignment.error(), alignment_key);

  GgufLayout layout;
  layout.alignment = *alignment;
  layout.tensor_offsets.assign(tensors.size(), 0);
  ByteCount header;
  write_header(header, metadata, tensors, layout.tensor_offsets);
  if (header.bytes > max_header_bytes - max_alignment)
    return invalid(fmt::format("the header would have {} bytes, at most {}", header.bytes,
                               max_header_bytes - max_alignment));
  layout.header_bytes = *checked_align_up(header.bytes, layout.alignment);

  std::uint64_t end = layout.header_bytes;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto bytes = tensor_bytes(tensors[i].shape, kernels::info(tensors[i].format));
    if (!bytes) return invalid(bytes.error(), tensors[i].name);
    layout.tensor_bytes.push_back(*bytes);
    layout.tensor_offsets[i] = end;
    // Every tensor is padded, the last one too: ggml reads the data section as one piece of that size.
    const auto padded = checked_align_up(*bytes, layout.alignment);
    const auto next = padded ? checked_add(end, *padded) : std::nullopt;
    if (!next || *next > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return invalid("the sizes of the tensors add up to more than a file can hold", tensors[i].name);
    end = *next;
  }
  layout.file_bytes = end;
  return layout;
}

std::string serialize_header(const Metadata& metadata, const std::vector<TensorPlan>& tensors,
                             const GgufLayout& layout) {
  std::vector<std::uint64_t> relative = layout.tensor_offsets;
  for (std::uint64_t& offset : relative) offset -= layout.header_bytes;
  ByteString header;
  header.text.reserve(layout.header_bytes);
  write_header(header, metadata, tensors, relative);
  header.text.resize(layout.header_bytes, '\0');
  return std::move(header.text);
}

}  // namespace bitlens::io
