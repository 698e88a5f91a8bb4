// Where the executor gets its weights from: a file as it is, or a file seen through a recipe (each changed
// tensor encoded and decoded again, so that what is measured is what an export would hold).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/model/model.h"
#include "core/quantize/recipe.h"

namespace bitlens::run {

class WeightSource {
 public:
  virtual ~WeightSource() = default;
  [[nodiscard]] virtual const model::Model& model() const = 0;
  /// The format the tensor has in this view (decides how activations are rounded in q8 mode).
  [[nodiscard]] virtual kernels::Format format(std::size_t tensor) const = 0;
  /// Rows [first, first + rows) of a tensor as f32. Single-threaded; may be called from any number of
  /// threads. Numeric if they hold NaN or infinity, before or after encoding, naming tensor and element.
  [[nodiscard]] virtual Status load_rows(std::size_t tensor, std::uint64_t first, std::uint64_t rows,
                                         float* target) const = 0;
  /// The same rows as this view stores them: in format(tensor), row_bytes of that format each. Not looked at
  /// for NaN or infinity unless they had to be encoded.
  [[nodiscard]] virtual Status load_encoded(std::size_t tensor, std::uint64_t first, std::uint64_t rows,
                                            std::byte* target) const = 0;
  /// All weights of a tensor as f32, rows in order. Works in parallel on work.pool. Errors as load_rows().
  [[nodiscard]] Status load(std::size_t tensor, std::span<float> target, const WorkContext& work) const;
  /// Does this view differ from the file in this tensor?
  [[nodiscard]] virtual bool differs(std::size_t tensor) const = 0;
};

/// Are a tensor's weights the same in both views for certain (same open file, changed by neither)?
[[nodiscard]] bool same_weights(const WeightSource& a, const WeightSource& b, std::size_t tensor);

[[nodiscard]] std::unique_ptr<WeightSource> file_weights(std::shared_ptr<const model::Model> model);
/// `resolved` must come from resolve() on the same file.
[[nodiscard]] std::unique_ptr<WeightSource> recipe_weights(std::shared_ptr<const model::Model> model,
                                                           quantize::ResolvedRecipe resolved);

}  // namespace bitlens::run
