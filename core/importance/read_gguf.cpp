// The GGUF form. The file is opened like any GGUF file, so its header is validated before anything here looks
// at it.
#include <fmt/format.h>

#include <cstddef>
#include <span>

#include "core/importance/read.h"
#include "core/io/model_file.h"

namespace bitlens::importance {

namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";

Result<std::vector<float>> read_floats(const io::ModelFile& file, std::size_t tensor) {
  const io::TensorInfo& info = file.tensors()[tensor];
  if (info.format != kernels::Format::F32)
    return fail(
        ErrorCode::BadFile,
        fmt::format("is stored as {}; an importance matrix holds F32", kernels::info(info.format).name),
        {file.path(), info.name, info.file_offset});
  std::vector<float> values(info.elements());
  if (auto status = file.read(tensor, 0, std::as_writable_bytes(std::span(values))); !status)
    return pass(status);
  return values;
}

Status check_kind(const io::ModelFile& file) {
  const auto type = file.metadata().get_string("general.type");
  if (type && *type == "imatrix") return {};
  if (type)
    return fail(ErrorCode::Unsupported,
                fmt::format("general.type is \"{}\", not \"imatrix\"", printable(*type, 80)),
                {file.path(), "general.type", {}});
  return fail(ErrorCode::Unsupported,
              file.metadata().has("general.architecture") ? "this file is a model, not an importance matrix"
                                                          : "this file is not an importance matrix",
              {file.path(), {}, {}});
}

std::uint32_t small_number(const io::Metadata& metadata, const char* key,
                           std::vector<std::string>& warnings) {
  const auto value = metadata.get_uint(key);
  if (value && *value <= 0xFFFFFFFFU) return static_cast<std::uint32_t>(*value);
  if (metadata.has(key)) warnings.push_back(fmt::format("{} is no number and is ignored", key));
  return 0;
}

}  // namespace

Result<Imatrix> read_imatrix_gguf(const std::string& path) {
  const auto opened = io::open_gguf(path);
  if (!opened) return pass(opened);
  const io::ModelFile& file = **opened;
  if (auto kind = check_kind(file); !kind) return pass(kind);

  Imatrix out;
  out.warnings = file.warnings();
  if (const auto datasets = file.metadata().get_array<std::string>("imatrix.datasets"); datasets)
    for (const std::string& name : **datasets) out.datasets.push_back(printable(name, 1000));
  out.chunk_count = small_number(file.metadata(), "imatrix.chunk_count", out.warnings);
  out.chunk_size = small_number(file.metadata(), "imatrix.chunk_size", out.warnings);

  std::uint64_t values = 0;
  for (std::size_t t = 0; t < file.tensors().size(); ++t) {
    const io::TensorInfo& info = file.tensors()[t];
    const auto damaged = [&](std::string message) {
      return fail(ErrorCode::BadFile, std::move(message), {path, info.name, info.file_offset});
    };
    const std::string_view name = info.name;
    if (name.ends_with(kCounts)) {
      const std::string sums(name.substr(0, name.size() - kCounts.size()));
      if (!file.find_tensor(sums + std::string(kSums))) return damaged("has no sums beside it");
      continue;
    }
    if (!name.ends_with(kSums)) {
      out.warnings.push_back(fmt::format("tensor \"{}\" is no part of an importance matrix and is ignored",
                                         printable(name, 80)));
      continue;
    }
    ImatrixEntry entry;
    entry.tensor = std::string(name.substr(0, name.size() - kSums.size()));
    entry.columns = info.row_length();
    if (entry.tensor.empty() || info.elements() == 0) return damaged("an entry without a name or values");
    if (out.entries.size() >= kMaxEntries || (values += info.elements()) > kMaxValues)
      return damaged("more entries or values than any model has");
    const auto counts = file.find_tensor(entry.tensor + std::string(kCounts));
    if (!counts) return damaged("has no counts beside it");
    const io::TensorInfo& counted = file.tensors()[*counts];
    if (counted.elements() != info.rows())
      return damaged(fmt::format("has {} rows of sums and {} counts", info.rows(), counted.elements()));
    auto sums = read_floats(file, t);
    if (!sums) return pass(sums);
    auto numbers = read_floats(file, *counts);
    if (!numbers) return pass(numbers);
    entry.sums = std::move(*sums);
    entry.counts = std::move(*numbers);
    if (auto status = check_entry(entry, path, info.file_offset, counted.file_offset); !status)
      return pass(status);
    out.entries.push_back(std::move(entry));
  }
  if (out.entries.empty()) return fail(ErrorCode::BadFile, "the importance matrix is empty", {path, {}, {}});
  return out;
}

}  // namespace bitlens::importance
