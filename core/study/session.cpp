#include "core/study/session.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/base/atomic_file.h"
#include "core/base/hash.h"
#include "core/study/sample.h"
#include "kernels/dense/instruction_set.h"

namespace bitlens::study {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxTextBytes = 1U << 30U;
constexpr const char* kSampleCalibrationName = "sample-calibration";

Result<std::string> model_path(const std::string& path_or_sample) {
  if (path_or_sample == kSampleName) return sample_file(kSampleModel);
  return path_or_sample;
}

/// What only an inspection may look at.
Status check_usable(const model::Model& model) {
  if (model.invalid()) return pass(model.llama());
  for (const io::TensorInfo& tensor : model.file().tensors())
    if (tensor.elements() == 0)
      return fail(ErrorCode::BadFile, "tensor has no elements; such a file can only be inspected",
                  {model.file().path(), tensor.name, {}});
  return {};
}

}  // namespace

Status limit_instruction_set(const char* name) {
  if (name == nullptr || kernels::limit_instruction_set(name)) return {};
  return fail(
      ErrorCode::InvalidArgument,
      fmt::format("{} is \"{}\"; amx, avx512, avx2, sse4 and plain are known", kInstructionsVariable, name));
}

ProgramInfo program_info() {
  return {"bitlens " BITLENS_VERSION, kernels::instruction_set()};
}

Result<std::shared_ptr<const ModelSession>> open_model(const std::string& path_or_sample, bool inspect_only) {
  const auto path = model_path(path_or_sample);
  if (!path) return pass(path);
  auto file = io::open_gguf(*path);
  if (!file) return pass(file);
  auto model = model::make_model(std::move(*file));
  if (!model) return pass(model);
  if (!inspect_only)
    if (const Status usable = check_usable(**model); !usable) return pass(usable);
  auto session = std::make_shared<ModelSession>();
  session->requested = path_or_sample;
  session->model = std::move(*model);
  session->tokenizer = tokenizer::make_tokenizer(session->file().metadata(), *path);
  return session;
}

Result<std::shared_ptr<const tokenizer::Tokenizer>> open_tokenizer(const std::string& path_or_sample) {
  const auto path = model_path(path_or_sample);
  if (!path) return pass(path);
  const auto file = io::open_gguf(*path);
  if (!file) return pass(file);
  return tokenizer::make_tokenizer((*file)->metadata(), *path);
}

Result<std::shared_ptr<const Text>> load_text(const std::string& path_or_sample) {
  const bool sample = path_or_sample == kSampleName || path_or_sample == kSampleCalibrationName;
  const auto path = !sample                         ? Result<std::string>(path_or_sample)
                    : path_or_sample == kSampleName ? sample_file(kSampleText)
                                                    : sample_file(kSampleCalibration);
  if (!path) return pass(path);
  auto content = read_file(*path, kMaxTextBytes);
  if (!content) return pass(content);
  if (content->empty()) return fail(ErrorCode::InvalidArgument, "the text is empty", {*path, "", {}});
  auto text = std::make_shared<Text>();
  text->name = sample ? path_or_sample : fs::path(*path).filename().string();
  text->path = *path;
  text->sha256 = sha256_hex(*content);
  text->content = std::move(*content);
  return text;
}

Result<std::shared_ptr<const TokenizedText>> tokenize(const ModelSession& session,
                                                      std::shared_ptr<const Text> text) {
  if (!session.tokenizer) return pass(session.tokenizer);
  const tokenizer::Tokenizer& tokenizer = **session.tokenizer;
  auto ids = tokenizer.encode(text->content);
  if (!ids) {
    Error error = ids.error();
    if (error.where.file.empty()) error.where.file = text->path;
    return tl::unexpected<Error>(std::move(error));
  }
  auto out = std::make_shared<TokenizedText>();
  out->text = std::move(text);
  if (tokenizer.adds_bos() && tokenizer.bos()) {
    out->tokens.reserve(ids->size() + 1);
    out->tokens.push_back(*tokenizer.bos());
  }
  out->tokens.insert(out->tokens.end(), ids->begin(), ids->end());
  return out;
}

double estimate_seconds(const ModelSession& session, std::uint64_t tokens, double flops_per_second) {
  if (!(flops_per_second > 0)) return 0;
  const auto parameters = static_cast<double>(session.model->summary().parameters);
  return static_cast<double>(tokens) * parameters * 2 / flops_per_second;
}

}  // namespace bitlens::study
