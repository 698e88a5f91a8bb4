// A model file whose tensors live in memory.
#pragma once

#include <cstring>
#include <stdexcept>

#include "core/io/model_file.h"
#include "kernels/formats/codec.h"

class MemoryFile final : public bitlens::io::ModelFile {
 public:
  /// Stores `values` rounded to `format`.
  std::size_t add(std::string name, std::vector<std::uint64_t> shape, bitlens::kernels::Format format,
                  const std::vector<float>& values) {
    const auto& info = bitlens::kernels::info(format);
    std::vector<std::byte> bytes(values.size() / info.block_size * info.block_bytes);
    bitlens::kernels::encode(format, bitlens::kernels::Quantizer::Rtn, values.data(), nullptr, bytes.data(),
                             values.size());
    return add_bytes(std::move(name), std::move(shape), format, std::move(bytes));
  }
  std::size_t add_bytes(std::string name, std::vector<std::uint64_t> shape, bitlens::kernels::Format format,
                        std::vector<std::byte> bytes) {
    bitlens::io::TensorInfo tensor;
    tensor.name = std::move(name);
    tensor.shape = std::move(shape);
    tensor.format = format;
    tensor.bytes = bytes.size();
    tensors_.push_back(std::move(tensor));
    data_.push_back(std::move(bytes));
    return tensors_.size() - 1;
  }
  /// What the tensor's bytes decode to.
  std::vector<float> values(std::size_t tensor) const {
    std::vector<float> out(tensors_[tensor].elements());
    bitlens::kernels::decode(tensors_[tensor].format, data_[tensor].data(), out.data(), out.size());
    return out;
  }

  const std::string& path() const override { return path_; }
  const std::vector<std::string>& shard_paths() const override { return paths_; }
  std::uint32_t version() const override { return 3; }
  std::uint64_t alignment() const override { return 32; }
  std::uint64_t file_bytes() const override { return 0; }
  const bitlens::io::Metadata& metadata() const override { return metadata_; }
  const std::vector<bitlens::io::TensorInfo>& tensors() const override { return tensors_; }
  const std::vector<std::string>& warnings() const override { return none_; }
  std::optional<std::size_t> find_tensor(std::string_view) const override { return std::nullopt; }
  bitlens::Status read(std::size_t tensor, std::uint64_t begin, std::span<std::byte> target) const override {
    if (begin + target.size() > data_[tensor].size())
      return bitlens::fail(bitlens::ErrorCode::BadFile, "read behind the end",
                           {path_, tensors_[tensor].name, begin});
    std::memcpy(target.data(), data_[tensor].data() + begin, target.size());
    return {};
  }
  bitlens::Status check_unchanged() const override { return {}; }
  bool is_same_file(const std::string&) const override { return false; }
  bitlens::Result<std::string> sha256(const bitlens::WorkContext&) const override { return std::string(); }

 private:
  std::string path_ = "memory.gguf";
  std::vector<std::string> paths_{path_}, none_;
  bitlens::io::Metadata metadata_;
  std::vector<bitlens::io::TensorInfo> tensors_;
  std::vector<std::vector<std::byte>> data_;
};
