#include "core/export/export.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <new>

#include "core/base/posix_file.h"
#include "core/export/tensor_stream.h"
#include "core/export/verify.h"
#include "core/io/gguf_writer.h"

namespace bitlens::exporter {

namespace {

bool same_file(const struct stat& a, const std::string& path) {
  struct stat b {};
  return ::stat(path.c_str(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Result<ExportResult> run_export(const io::ModelFile& source, const quantize::ResolvedRecipe& resolved,
                                const ExportOptions& options, const WorkContext& work) {
  const auto start = std::chrono::steady_clock::now();
  if (resolved.tensors.size() != source.tensors().size())
    return fail(ErrorCode::InvalidArgument, "the recipe was resolved for another file",
                {source.path(), {}, {}});
  if (auto status = check_output(source, options); !status) return pass(status);
  if (auto status = source.check_unchanged(); !status) return pass(status);

  const io::Metadata metadata = quantize::export_metadata(resolved, source);
  std::vector<WrittenTensor> written;
  std::vector<io::TensorPlan> plan;
  std::uint64_t total = 0;
  for (std::size_t t = 0; t < source.tensors().size(); ++t) {
    const io::TensorInfo& tensor = source.tensors()[t];
    plan.push_back({tensor.name, tensor.shape, resolved.tensors[t].format});
    written.push_back({plan.back(), {}});
    total += resolved.tensors[t].bytes;
  }
  auto writer = io::GgufWriter::create(options.path, metadata, plan, options.overwrite);
  if (!writer) return pass(writer);

  std::uint64_t done = 0;
  const auto encoding = std::chrono::steady_clock::now();
  const auto checksums = stream_tensors(
      source, resolved, work,
      [&](std::size_t tensor, std::span<const std::byte> data) { return (*writer)->write(tensor, data); },
      [&](std::uint64_t bytes) { work.report("encode", done += bytes, total); });
  if (!checksums) return pass(checksums);
  const double encode_seconds = seconds_since(encoding);
  for (std::size_t t = 0; t < written.size(); ++t) written[t].checksum = (*checksums)[t];
  if (auto status = (*writer)->finish(); !status) return pass(status);
  if (auto status = source.check_unchanged(); !status) return pass(status);

  ExportResult result;
  auto sha256 = verify_file((*writer)->temporary_path(), metadata, written, work);
  if (!sha256) return pass(sha256);
  if (auto status = (*writer)->publish(); !status) return pass(status);
  result.path = options.path;
  result.file_bytes = (*writer)->layout().file_bytes;
  result.sha256 = *std::move(sha256);
  result.warnings = resolved.warnings;
  result.encode_seconds = encode_seconds;
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace

Status check_output(const io::ModelFile& source, const ExportOptions& options) {
  const Where where{options.path, {}, {}};
  struct stat status {};
  if (options.path.empty()) return fail(ErrorCode::InvalidArgument, "the output has no name", where);
  if (::stat(options.path.c_str(), &status) != 0) return {};
  if (source.is_same_file(options.path))
    return fail(ErrorCode::InvalidArgument, "the output is the model being read; choose another name", where);
  for (const std::string& input : options.inputs)
    if (same_file(status, input))
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("the output is an input ({}); choose another name", printable(input)), where);
  if (S_ISDIR(status.st_mode)) return fail(ErrorCode::InvalidArgument, "is a folder, not a file", where);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::InvalidArgument, "is not a regular file", where);
  if (!options.overwrite)
    return fail(ErrorCode::Exists, "the file exists already and may not be overwritten", where);
  return {};
}

Result<ExportResult> export_gguf(const io::ModelFile& source, const quantize::ResolvedRecipe& resolved,
                                 const ExportOptions& options, const WorkContext& work) {
  try {
    return run_export(source, resolved, options, work);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory to export the model", {options.path, {}, {}});
  }
}

}  // namespace bitlens::exporter
