#include "tests/support/gguf_builder.h"

#include <fstream>
#include <limits>
#include <sstream>
#include <type_traits>

namespace bitlens::test {

namespace {

void pad(std::string& bytes, std::uint64_t alignment, char with) {
  while (bytes.size() % alignment != 0) bytes.push_back(with);
}

template <typename T>
void append_value(Bytes& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>)
    out.u8(value ? 1 : 0);
  else if constexpr (std::is_same_v<T, std::string>)
    out.string(value);
  else
    out.number(value);
}

void append_array(Bytes& out, const io::MetadataArray& array) {
  std::visit(
      [&](const auto& elements) {
        if constexpr (std::is_same_v<std::decay_t<decltype(elements)>, io::BoolArray>) {
          out.u32(7).u64(elements.values.size());
          for (const std::uint8_t value : elements.values) out.u8(value);
        } else {
          // Type numbers 0..6 are the alternatives' indices; after bool (7) and string (8) comes array (9).
          const std::size_t index = array.index();
          out.u32(static_cast<std::uint32_t>(index < 9 ? index : index + 1)).u64(elements.size());
          for (const auto& element : elements) append_value(out, element);
        }
      },
      array);
}

}  // namespace

std::string entry_bytes(std::string_view key, const io::MetadataValue& value) {
  Bytes out;
  out.string(key).u32(static_cast<std::uint32_t>(value.index()));
  std::visit(
      [&](const auto& held) {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, io::MetadataArray>)
          append_array(out, held);
        else
          append_value(out, held);
      },
      value);
  return out.str();
}

std::string tensor_bytes(std::string_view name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
                         std::uint64_t offset) {
  Bytes out;
  out.string(name).u32(static_cast<std::uint32_t>(shape.size()));
  for (const std::uint64_t dimension : shape) out.u64(dimension);
  return out.u32(type).u64(offset).str();
}

GgufBuilder& GgufBuilder::magic(std::string_view four) {
  magic_ = four;
  return *this;
}
GgufBuilder& GgufBuilder::version(std::uint32_t number) {
  version_ = number;
  return *this;
}
GgufBuilder& GgufBuilder::declare_tensors(std::uint64_t count) {
  declared_tensors_ = count;
  return *this;
}
GgufBuilder& GgufBuilder::declare_entries(std::uint64_t count) {
  declared_entries_ = count;
  return *this;
}
GgufBuilder& GgufBuilder::kv(std::string_view key, const io::MetadataValue& value) {
  return raw_entry(entry_bytes(key, value));
}
GgufBuilder& GgufBuilder::alignment(std::uint32_t bytes) {
  alignment_ = bytes;
  return kv("general.alignment", bytes);
}
GgufBuilder& GgufBuilder::raw_entry(std::string bytes) {
  entries_.push_back(std::move(bytes));
  return *this;
}
GgufBuilder& GgufBuilder::tensor(std::string_view name, const std::vector<std::uint64_t>& shape,
                                 kernels::Format format, std::string_view data) {
  pad(data_, alignment_, padding_);
  info(name, shape, static_cast<std::uint32_t>(format), data_.size());
  data_.append(data);
  return *this;
}
GgufBuilder& GgufBuilder::f32(std::string_view name, const std::vector<std::uint64_t>& shape,
                              const std::vector<float>& values) {
  Bytes bytes;
  for (const float value : values) bytes.number(value);
  return tensor(name, shape, kernels::Format::F32, bytes.str());
}
GgufBuilder& GgufBuilder::info(std::string_view name, const std::vector<std::uint64_t>& shape,
                               std::uint32_t type, std::uint64_t offset) {
  return raw_info(tensor_bytes(name, shape, type, offset));
}
GgufBuilder& GgufBuilder::raw_info(std::string bytes) {
  infos_.push_back(std::move(bytes));
  return *this;
}
GgufBuilder& GgufBuilder::data(std::string_view bytes) {
  data_.append(bytes);
  return *this;
}
GgufBuilder& GgufBuilder::padding(char byte) {
  padding_ = byte;
  return *this;
}

std::string GgufBuilder::header() const {
  Bytes out;
  out.raw(magic_).u32(version_);
  out.u64(declared_tensors_.value_or(infos_.size())).u64(declared_entries_.value_or(entries_.size()));
  for (const std::string& entry : entries_) out.raw(entry);
  for (const std::string& info : infos_) out.raw(info);
  return out.str();
}

std::string GgufBuilder::bytes() const {
  std::string out = header();
  pad(out, alignment_, padding_);
  out += data_;
  if (!data_.empty()) pad(out, alignment_, padding_);
  return out;
}

GgufBuilder sample_gguf() {
  using io::MetadataArray;
  GgufBuilder file;
  file.kv("general.architecture", "llama")
      .kv("general.name", "sample \xF0\x9F\x99\x82")
      .kv("t.u8", std::uint8_t{255})
      .kv("t.i8", std::int8_t{-128})
      .kv("t.u16", std::uint16_t{65535})
      .kv("t.i16", std::int16_t{-32768})
      .kv("t.u32", std::uint32_t{4294967295})
      .kv("t.i32", std::numeric_limits<std::int32_t>::min())
      .kv("t.f32", 1.5F)
      .kv("t.bool", true)
      .kv("t.u64", std::numeric_limits<std::uint64_t>::max())
      .kv("t.i64", std::numeric_limits<std::int64_t>::min())
      .kv("t.f64", -0.1)
      .kv("a.u8", MetadataArray(std::vector<std::uint8_t>{0, 1, 255}))
      .kv("a.i8", MetadataArray(std::vector<std::int8_t>{-1, 0, 1}))
      .kv("a.u16", MetadataArray(std::vector<std::uint16_t>{1, 2}))
      .kv("a.i16", MetadataArray(std::vector<std::int16_t>{-1, -2}))
      .kv("a.u32", MetadataArray(std::vector<std::uint32_t>{7}))
      .kv("a.i32", MetadataArray(std::vector<std::int32_t>{-7, 7}))
      .kv("a.f32", MetadataArray(std::vector<float>{0.25F, -0.0F}))
      .kv("a.bool", MetadataArray(io::BoolArray{{0, 1, 1}}))
      .kv("a.string",
          MetadataArray(std::vector<std::string>{"", "a", "\xFF\xFE", "a long string of many characters"}))
      .kv("a.u64", MetadataArray(std::vector<std::uint64_t>{1, 1ULL << 63}))
      .kv("a.i64", MetadataArray(std::vector<std::int64_t>{-1}))
      .kv("a.f64", MetadataArray(std::vector<double>{1e300}))
      .kv("a.empty", MetadataArray(std::vector<std::string>{}));
  std::vector<float> values;
  for (int i = 0; i < 64; ++i) values.push_back(static_cast<float>(i) * 0.125F - 4.0F);
  file.f32("token_embd.weight", {32, 2}, values);
  file.tensor("blk.0.attn_norm.weight", {3}, kernels::Format::F16,
              std::string("\x00\x3C\x00\xBC\x00\x00", 6));
  std::string block("\x00\x3C", 2);  // scale 1
  for (int i = 0; i < 16; ++i) block.push_back(static_cast<char>(i * 16 + 15 - i));
  return file.tensor("blk.0.ffn_up.weight", {32, 4}, kernels::Format::Q4_0, block + block + block + block);
}

bool write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return !out.fail();
}

std::string read_bytes(const std::string& path) {
  const std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

}  // namespace bitlens::test
