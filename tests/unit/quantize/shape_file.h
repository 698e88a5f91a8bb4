// A model file of which only names, shapes and metadata exist.
#pragma once

#include "core/io/model_file.h"

class ShapeFile final : public bitlens::io::ModelFile {
 public:
  void set(const char* key, bitlens::io::MetadataValue value) { metadata_.set(key, std::move(value)); }
  void add(std::string name, std::vector<std::uint64_t> shape,
           bitlens::kernels::Format format = bitlens::kernels::Format::F16) {
    bitlens::io::TensorInfo tensor;
    tensor.name = std::move(name);
    tensor.shape = std::move(shape);
    tensor.format = format;
    tensor.bytes = tensor.elements() * (format == bitlens::kernels::Format::F16 ? 2 : 4);
    tensors_.push_back(std::move(tensor));
  }
  const std::string& path() const override { return path_; }
  const std::vector<std::string>& shard_paths() const override { return paths_; }
  std::uint32_t version() const override { return 3; }
  std::uint64_t alignment() const override { return 32; }
  std::uint64_t file_bytes() const override { return 0; }
  const bitlens::io::Metadata& metadata() const override { return metadata_; }
  const std::vector<bitlens::io::TensorInfo>& tensors() const override { return tensors_; }
  const std::vector<std::string>& warnings() const override { return none_; }
  std::optional<std::size_t> find_tensor(std::string_view name) const override {
    for (std::size_t t = 0; t < tensors_.size(); ++t)
      if (tensors_[t].name == name) return t;
    return std::nullopt;
  }
  bitlens::Status read(std::size_t, std::uint64_t, std::span<std::byte>) const override {
    return bitlens::fail(bitlens::ErrorCode::Io, "there is no data");
  }
  bitlens::Status check_unchanged() const override { return {}; }
  bool is_same_file(const std::string&) const override { return false; }
  bitlens::Result<std::string> sha256(const bitlens::WorkContext&) const override { return std::string(); }

 private:
  std::string path_ = "shapes.gguf";
  std::vector<std::string> paths_{path_}, none_;
  bitlens::io::Metadata metadata_;
  std::vector<bitlens::io::TensorInfo> tensors_;
};
