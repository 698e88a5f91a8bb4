#include "core/report/report.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <new>

#include "core/base/atomic_file.h"
#include "core/base/posix_file.h"
#include "core/report/groups.h"
#include "core/report/hdf5_file.h"

namespace bitlens::report {

namespace {

/// A metadata value as text; arrays by type and length alone.
std::string value_text(const io::MetadataValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, io::MetadataArray>)
          return fmt::format("[{} x {}]", io::metadata_type_name(io::element_type_of(held)),
                             io::length_of(held));
        else if constexpr (std::is_same_v<T, std::string>)
          return held;
        else
          return fmt::format("{}", held);
      },
      value);
}

Status check_input(const ReportInput& input) {
  const std::size_t tensors = input.tensors.size();
  const auto fits = [tensors](std::size_t size) { return size == 0 || size == tensors; };
  if (input.roles.size() != tensors || !fits(input.weights.size()) || !fits(input.activations.size()) ||
      (input.recipe && input.recipe->tensors.size() != tensors))
    return fail(ErrorCode::InvalidArgument, "the parts of the report are not of one model",
                {input.model_path, {}, {}});
  return {};
}

Status check_target(const ReportInput& input, const std::string& path, bool overwrite) {
  const Where where{path, {}, {}};
  struct stat target {
  }, model{};
  if (path.empty() || path.back() == '/')
    return fail(ErrorCode::InvalidArgument, "the report has no name", where);
  if (::stat(path.c_str(), &target) != 0) return {};
  if (::stat(input.model_path.c_str(), &model) == 0 && target.st_dev == model.st_dev &&
      target.st_ino == model.st_ino)
    return fail(ErrorCode::InvalidArgument, "the report would replace the model; choose another name", where);
  if (!S_ISREG(target.st_mode)) return fail(ErrorCode::InvalidArgument, "is not a regular file", where);
  if (!overwrite) return fail(ErrorCode::Exists, "the file exists already and may not be overwritten", where);
  return {};
}

/// A name beside the target that nobody has.
std::string temporary_beside(const std::string& target) {
  struct stat status {};
  for (unsigned number = 0;; ++number) {
    std::string name = fmt::format("{}.part-{}-{}", target, ::getpid(), number);
    if (::lstat(name.c_str(), &status) != 0) return name;
  }
}

Status write_all(const ReportInput& input, const std::string& temporary) {
  Hdf5File file(temporary);
  write_root(file, input);
  write_model(file, input);
  write_recipe(file, input);
  write_sizes(file, input);
  write_weights(file, input);
  write_histograms(file, input);
  write_activations(file, input);
  write_measurements(file, input);
  write_sensitivity(file, input);
  if (auto status = file.close(); !status) return status;
  return verify_hdf5(temporary, file.written());
}

}  // namespace

ReportInput describe_model(const model::Model& model) {
  ReportInput input;
  const io::ModelFile& file = model.file();
  input.model_path = file.path();
  input.model_file_bytes = file.file_bytes();
  input.summary = model.summary();
  for (const io::MetadataEntry& entry : file.metadata().entries())
    input.metadata.emplace_back(entry.key, value_text(entry.value));
  input.tensors = file.tensors();
  for (std::size_t t = 0; t < input.tensors.size(); ++t) input.roles.push_back(model.role(t));
  return input;
}

Status write_hdf5(const ReportInput& input, const std::string& path, bool overwrite) {
  try {
    if (auto status = check_input(input); !status) return status;
    if (auto status = check_target(input, path, overwrite); !status) return status;
    const std::string target = follow_links(path);
    const std::string temporary = temporary_beside(target);
    Status status = write_all(input, temporary);
    if (status) status = publish_file(temporary, target, overwrite);
    if (!status) ::unlink(temporary.c_str());
    return status;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory to write the report", {path, {}, {}});
  }
}

}  // namespace bitlens::report
