// From the hidden states of scored positions to log-likelihoods and divergences, a slab of the vocabulary at
// a time: neither the output matrix nor a row of logits is ever held whole.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/evaluate/paired.h"
#include "core/run/forward.h"
#include "kernels/dense/buffer.h"

namespace bitlens::evaluate {

/// One model's side of the scoring: `inputs` [rows x width], what goes into the output matrix (normalised,
/// and rounded if the model's view asks for it).
struct ScoreInput {
  const run::Forward* forward = nullptr;
  const float* inputs = nullptr;
};

/// Turns hidden states after the last layer, `rows` x width, into what goes into the output matrix:
/// normalised, and rounded if the model's view asks for it. In place.
[[nodiscard]] Status head_inputs(const run::Forward& forward, float* states, std::size_t rows,
                                 const WorkContext& work);

/// Results for every row, predicting targets[row]. `base` may be null (then nll alone) and may be the same
/// inputs as the subject's. Numeric, naming the output matrix, if a logit is NaN or infinite.
/// `advance(share)` is told how far it is, 0..1.
[[nodiscard]] Result<std::vector<TokenResult>> score(const ScoreInput& subject, const ScoreInput* base,
                                                     std::span<const std::int32_t> targets,
                                                     const WorkContext& work,
                                                     const std::function<void(double)>& advance);

}  // namespace bitlens::evaluate
