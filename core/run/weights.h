// Where the executor gets its weights from: a file as it is, or a file seen through a recipe (each changed tensor
// encoded and decoded again, so that what is measured is what an export would hold).
#pragma once

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
  /// All weights of a tensor as f32, rows in order. Works in parallel on work.pool.
  /// Numeric if the tensor holds NaN or infinity, naming tensor and element.
  [[nodiscard]] virtual Status load(std::size_t tensor, std::span<float> target, const WorkContext& work) const = 0;
  /// Does this view differ from `base` (another view of the same file) in this tensor?
  [[nodiscard]] virtual bool differs(std::size_t tensor) const = 0;
};

[[nodiscard]] std::unique_ptr<WeightSource> file_weights(std::shared_ptr<const model::Model> model);
/// `resolved` must come from resolve() on the same file.
[[nodiscard]] std::unique_ptr<WeightSource> recipe_weights(std::shared_ptr<const model::Model> model,
                                                           quantize::ResolvedRecipe resolved);

}  // namespace bitlens::run
