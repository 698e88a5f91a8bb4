#include "core/run/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/io/model_file.h"
#include "core/run/tasks.h"
#include "kernels/formats/codec.h"

namespace bitlens::run {

namespace {

/// Numeric if one of the weights, which start at row `first`, is NaN or infinite.
Status check_finite(const io::ModelFile& file, std::size_t tensor, std::uint64_t first,
                    std::span<const float> weights, std::string_view after) {
  const std::size_t bad = kernels::find_non_finite(weights.data(), weights.size());
  if (bad == weights.size()) return {};
  const io::TensorInfo& info = file.tensors()[tensor];
  const std::uint64_t element = first * info.row_length() + bad;
  return fail(
      ErrorCode::Numeric,
      fmt::format("element {} is {}{}", element, std::isnan(weights[bad]) ? "NaN" : "infinite", after),
      {file.shard_paths()[info.shard], info.name, {}});
}

class FileWeights final : public WeightSource {
 public:
  explicit FileWeights(std::shared_ptr<const model::Model> model) : model_(std::move(model)) {}

  const model::Model& model() const override { return *model_; }
  kernels::Format format(std::size_t tensor) const override {
    return model_->file().tensors()[tensor].format;
  }
  bool differs(std::size_t) const override { return false; }
  Status load_rows(std::size_t tensor, std::uint64_t first, std::uint64_t rows,
                   float* target) const override {
    const io::ModelFile& file = model_->file();
    if (Status status = io::decode_rows(file, tensor, first, rows, target); !status) return status;
    return check_finite(file, tensor, first, {target, rows * file.tensors()[tensor].row_length()}, "");
  }
  Status load_encoded(std::size_t tensor, std::uint64_t first, std::uint64_t rows,
                      std::byte* target) const override {
    const std::uint64_t bytes = model_->file().tensors()[tensor].row_bytes();
    return model_->file().read(tensor, first * bytes, {target, rows * bytes});
  }

 private:
  std::shared_ptr<const model::Model> model_;
};

class RecipeWeights final : public WeightSource {
 public:
  RecipeWeights(std::shared_ptr<const model::Model> model, quantize::ResolvedRecipe resolved)
      : source_(model), model_(std::move(model)), resolved_(std::move(resolved)) {}

  const model::Model& model() const override { return *model_; }
  kernels::Format format(std::size_t tensor) const override { return resolved_.tensors[tensor].format; }
  bool differs(std::size_t tensor) const override { return resolved_.tensors[tensor].changed; }
  Status load_rows(std::size_t tensor, std::uint64_t first, std::uint64_t rows,
                   float* target) const override {
    if (Status status = source_.load_rows(tensor, first, rows, target); !status) return status;
    const quantize::TensorChoice& choice = resolved_.tensors[tensor];
    if (!choice.changed) return {};
    const kernels::FormatInfo& format = kernels::info(choice.format);
    const std::size_t weights = rows * model_->file().tensors()[tensor].row_length();
    // A piece at a time, whole rows or not: blocks do not know of each other.
    const std::size_t piece = std::max<std::size_t>(1, kPiece / format.block_size) * format.block_size;
    std::vector<std::byte> encoded(std::min(piece, weights) / format.block_size * format.block_bytes);
    const io::TensorInfo& info = model_->file().tensors()[tensor];
    std::vector<float> importance(choice.weighted ? std::min(piece, weights) : 0);
    for (std::size_t at = 0; at < weights; at += piece) {
      const std::size_t count = std::min(piece, weights - at);
      if (choice.weighted)
        resolved_.importance->fill(tensor, info, first * info.row_length() + at,
                                   std::span(importance).first(count));
      kernels::encode(choice.format, choice.quantizer, target + at,
                      choice.weighted ? importance.data() : nullptr, encoded.data(), count);
      kernels::decode(choice.format, encoded.data(), target + at, count);
    }
    return check_finite(model_->file(), tensor, first, {target, weights},
                        fmt::format(" after encoding as {}", format.name));
  }
  Status load_encoded(std::size_t tensor, std::uint64_t first, std::uint64_t rows,
                      std::byte* target) const override {
    const quantize::TensorChoice& choice = resolved_.tensors[tensor];
    if (!choice.changed) return source_.load_encoded(tensor, first, rows, target);
    const io::TensorInfo& info = model_->file().tensors()[tensor];
    std::vector<float> weights(rows * info.row_length());
    if (Status status = source_.load_rows(tensor, first, rows, weights.data()); !status) return status;
    std::vector<float> importance(choice.weighted ? weights.size() : 0);
    if (choice.weighted) resolved_.importance->fill(tensor, info, first * info.row_length(), importance);
    kernels::encode(choice.format, choice.quantizer, weights.data(),
                    choice.weighted ? importance.data() : nullptr, target, weights.size());
    return {};
  }

 private:
  static constexpr std::size_t kPiece = 4096;  // weights
  FileWeights source_;
  std::shared_ptr<const model::Model> model_;
  quantize::ResolvedRecipe resolved_;
};

}  // namespace

Status WeightSource::load(std::size_t tensor, std::span<float> target, const WorkContext& work) const {
  const io::TensorInfo& info = model().file().tensors()[tensor];
  const std::uint64_t length = info.row_length(), rows = info.rows();
  if (target.size() != rows * length)
    return fail(ErrorCode::InvalidArgument,
                fmt::format("room for {} weights, the tensor has {}", target.size(), rows * length),
                {model().file().path(), info.name, {}});
  if (target.empty()) return {};
  constexpr std::uint64_t weights_per_task = 1 << 16;
  const std::uint64_t step = std::max<std::uint64_t>(1, weights_per_task / length);
  return for_each_task(work, (rows + step - 1) / step, [&](std::size_t task, int) -> Status {
    const std::uint64_t first = task * step;
    return load_rows(tensor, first, std::min(step, rows - first), target.data() + first * length);
  });
}

bool same_weights(const WeightSource& a, const WeightSource& b, std::size_t tensor) {
  return &a.model().file() == &b.model().file() && !a.differs(tensor) && !b.differs(tensor);
}

std::unique_ptr<WeightSource> file_weights(std::shared_ptr<const model::Model> model) {
  return std::make_unique<FileWeights>(std::move(model));
}

std::unique_ptr<WeightSource> recipe_weights(std::shared_ptr<const model::Model> model,
                                             quantize::ResolvedRecipe resolved) {
  return std::make_unique<RecipeWeights>(std::move(model), std::move(resolved));
}

}  // namespace bitlens::run
