#include "core/sensitivity/head_gradient.h"

#include <algorithm>

#include "core/run/backward.h"
#include "core/run/tasks.h"
#include "core/sensitivity/head_scorer.h"
#include "core/sensitivity/labels.h"
#include "kernels/dense/backward.h"
#include "kernels/dense/dots.h"

namespace bitlens::sensitivity {

namespace {

using kernels::kRowTile;

/// Weights of the output matrix decoded at once.
constexpr std::uint64_t kSlabWeights = std::uint64_t{1} << 24;
/// Columns of a change's product that are in cache together.
constexpr std::size_t kChunkColumns = 1024;

}  // namespace

double dot(const float* a, const float* b, std::size_t count) {
  double sum = 0.0;
  kernels::add_dots(a, &b, 1, count, &sum);
  return sum;
}

HeadGradient::HeadGradient(BaseRun& base, std::uint64_t seed, kernels::Compute changes,
                           std::uint64_t memory_budget)
    : base_(base), seed_(seed), changes_compute_(changes) {
  const model::LlamaParameters& p = base.forward().parameters();
  keep_ = 2 * std::uint64_t{p.vocabulary} * p.width * sizeof(float) <= memory_budget;
  slab_rows_ = std::max<std::uint64_t>(kChunkColumns, kSlabWeights / p.width / kChunkColumns * kChunkColumns);
}

std::size_t HeadGradient::slabs() const {
  return (base_.forward().parameters().vocabulary + slab_rows_ - 1) / slab_rows_;
}

std::size_t HeadGradient::windows_within(std::uint64_t bytes) const {
  const std::uint64_t window =
      base_.windows().scored_per_window() * base_.forward().parameters().vocabulary * sizeof(float);
  return std::max<std::size_t>(1, bytes / window);
}

Result<const HeadGradient::Slab*> HeadGradient::slab(std::size_t index, const WorkContext& work) {
  if (slabs_.empty()) slabs_.resize(keep_ ? slabs() : 1);
  Slab& slab = slabs_[keep_ ? index : 0];
  if (slab.loaded && (keep_ || passing_ == index)) return &slab;
  const run::Forward& forward = base_.forward();
  const std::uint64_t first = index * slab_rows_;
  const std::uint64_t rows = std::min<std::uint64_t>(slab_rows_, forward.parameters().vocabulary - first);
  slab.loaded = false;
  if (auto s = forward.load_output(first, rows, slab.plain, work); !s) return pass(s);
  if (auto s = run::pack_transposed(forward.source(), forward.output_tensor(), first, rows, forward.compute(),
                                    slab.transposed, work);
      !s)
    return pass(s);
  slab.loaded = true;
  passing_ = index;
  return &slab;
}

Status HeadGradient::run(const Chunk& chunk, float* gradient, std::span<const Change> changes,
                         std::vector<ChunkResponses>& responses, const WorkContext& work) {
  const evaluate::Windows& windows = base_.windows();
  auto hidden = base_.states(base_.layers(), chunk.first_window, chunk.windows, room_);
  if (!hidden) return pass(hidden);
  // Chunks of the same windows come one after the other and share what does not depend on the draw.
  if (predicted_first_ != chunk.first_window || predicted_windows_ != chunk.windows) {
    predicted_windows_ = 0;
    if (auto s = head_inputs(base_.forward(), *hidden, chunk.windows, windows.first_scored,
                             windows.scored_per_window(), inputs_, work);
        !s)
      return s;
    if (auto s = predict(chunk, work); !s) return s;
    predicted_first_ = chunk.first_window;
    predicted_windows_ = chunk.windows;
  }
  if (auto s = draw(chunk, work); !s) return s;
  if (auto s = form_gradient(chunk, *hidden, gradient, work); !s) return s;
  responses.resize(changes.size());
  for (std::size_t c = 0; c < changes.size(); ++c)
    if (auto s = respond(chunk, changes[c], responses[c], work); !s) return s;
  return {};
}

/// Probabilities, and the mean row of the output matrix under them.
Status HeadGradient::predict(const Chunk& chunk, const WorkContext& work) {
  const evaluate::Windows& windows = base_.windows();
  const std::size_t scored = windows.scored_per_window(), rows = chunk.windows * scored;
  const std::size_t width = base_.forward().parameters().width,
                    vocabulary = base_.forward().parameters().vocabulary;
  if (!probabilities_.resize(rows * vocabulary) || !mean_.resize(rows * width))
    return fail(ErrorCode::Memory, "not enough memory for predictions");
  const std::size_t tiles = (rows + kRowTile - 1) / kRowTile;
  for (std::size_t i = 0; i < slabs(); ++i) {
    auto loaded = slab(i, work);
    if (!loaded) return pass(loaded);
    const kernels::PackedMatrix& weights = (*loaded)->plain.weights;
    const auto status = run::for_each_task(work, tiles, [&](std::size_t task, int) -> Status {
      const std::size_t row = task * kRowTile, count = std::min(kRowTile, rows - row);
      kernels::multiply(weights, 0, weights.panels(), inputs_.data() + row * width, count, width,
                        probabilities_.data() + row * vocabulary + i * slab_rows_, vocabulary, false);
      return {};
    });
    if (!status) return status;
  }
  const auto normalized = run::for_each_task(work, tiles, [&](std::size_t task, int) -> Status {
    for (std::size_t row = task * kRowTile; row < std::min(rows, (task + 1) * kRowTile); ++row) {
      if (softmax({probabilities_.data() + row * vocabulary, vocabulary})) continue;
      const io::ModelFile& file = base_.model()->file();
      return fail(ErrorCode::Numeric, "the logits are NaN or infinite",
                  {file.path(), file.tensors()[base_.forward().output_tensor()].name, {}});
    }
    return {};
  });
  if (!normalized) return normalized;
  for (std::size_t i = 0; i < slabs(); ++i) {
    auto loaded = slab(i, work);
    if (!loaded) return pass(loaded);
    const kernels::PackedMatrix& transposed = (*loaded)->transposed;
    const auto status = run::for_each_task(work, tiles, [&](std::size_t task, int) -> Status {
      const std::size_t row = task * kRowTile, count = std::min(kRowTile, rows - row);
      kernels::multiply(transposed, 0, transposed.panels(),
                        probabilities_.data() + row * vocabulary + i * slab_rows_, count, vocabulary,
                        mean_.data() + row * width, width, i > 0);
      return {};
    });
    if (!status) return status;
  }
  return {};
}

Status HeadGradient::draw(const Chunk& chunk, const WorkContext& work) {
  const evaluate::Windows& windows = base_.windows();
  const std::size_t scored = windows.scored_per_window(), rows = chunk.windows * scored;
  const std::size_t vocabulary = base_.forward().parameters().vocabulary;
  labels_.assign(chunk.all_draws() * rows, 0);
  return run::for_each_task(work, rows, [&](std::size_t row, int) -> Status {
    const std::span<const float> p(probabilities_.data() + row * vocabulary, vocabulary);
    const std::size_t window = chunk.first_window + row / scored,
                      position = windows.first_scored + row % scored;
    std::vector<std::int32_t> labels(chunk.draws);
    draw_labels(p, seed_, window, position, chunk.first_draw, labels);
    for (std::size_t d = 0; d < chunk.draws; ++d) labels_[d * rows + row] = labels[d];
    if (chunk.text) labels_[chunk.draws * rows + row] = windows.targets[window][position];
    return {};
  });
}

Status HeadGradient::form_gradient(const Chunk& chunk, const float* hidden, float* gradient,
                                   const WorkContext& work) {
  const run::Forward& forward = base_.forward();
  const evaluate::Windows& windows = base_.windows();
  const std::size_t scored = windows.scored_per_window(), rows = chunk.windows * scored;
  const std::size_t width = forward.parameters().width, context = windows.context;
  if (norm_.empty()) {
    const std::size_t tensor = forward.output_norm_tensor();
    norm_.resize(width);
    const std::uint64_t norm_rows = forward.source().model().file().tensors()[tensor].rows();
    if (auto s = forward.source().load_rows(tensor, 0, norm_rows, norm_.data()); !s) return s;
  }
  return run::for_each_task(work, chunk.all_draws() * chunk.windows, [&](std::size_t task, int) -> Status {
    const std::size_t draw = task / chunk.windows, window = task % chunk.windows;
    float* target = gradient + task * context * width;
    std::fill_n(target, context * width, 0.0F);
    std::vector<float> at_output(width);
    for (std::size_t s = 0; s < scored; ++s) {
      const std::size_t row = window * scored + s, position = windows.first_scored + s;
      const auto label = static_cast<std::uint64_t>(labels_[draw * rows + row]);
      if (auto status = forward.source().load_rows(forward.output_tensor(), label, 1, at_output.data());
          !status)
        return status;
      const float* mean = mean_.data() + row * width;
      for (std::size_t i = 0; i < width; ++i) at_output[i] -= mean[i];
      kernels::rms_norm_backward(hidden + (window * context + position) * width, norm_.data(),
                                 at_output.data(), 1, width, forward.parameters().rms_epsilon,
                                 target + position * width);
    }
    return {};
  });
}

void HeadGradient::output_gradient(const Chunk& chunk, std::size_t draw, std::size_t window,
                                   float* target) const {
  const std::size_t scored = base_.windows().scored_per_window(), rows = chunk.windows * scored,
                    vocabulary = base_.forward().parameters().vocabulary;
  const float* p = probabilities_.data() + window * scored * vocabulary;
  for (std::size_t i = 0; i < scored * vocabulary; ++i) target[i] = -p[i];
  for (std::size_t s = 0; s < scored; ++s)
    target[s * vocabulary + static_cast<std::size_t>(labels_[draw * rows + window * scored + s])] += 1.0F;
}

/// sum over positions of (dW[label] - sum_v p_v dW[v]) . input
Status HeadGradient::respond(const Chunk& chunk, const Change& change, ChunkResponses& responses,
                             const WorkContext& work) {
  const std::size_t scored = base_.windows().scored_per_window(), rows = chunk.windows * scored;
  const std::size_t width = base_.forward().parameters().width,
                    vocabulary = base_.forward().parameters().vocabulary, draws = chunk.all_draws();
  auto reader = ChangeReader::create(base_.model(), change);
  if (!reader) return pass(reader);
  const std::size_t tiles = (rows + kRowTile - 1) / kRowTile;
  std::vector<double> at_row(draws * rows, 0.0);
  kernels::PackedMatrix packed;
  std::vector<kernels::FloatBuffer> rooms(static_cast<std::size_t>(work.pool.size()));
  for (std::uint64_t first = 0; first < vocabulary; first += slab_rows_) {
    if (auto s = reader->pack(first, std::min<std::uint64_t>(slab_rows_, vocabulary - first),
                              changes_compute_, packed, work);
        !s)
      return s;
    const std::size_t step = std::max<std::size_t>(1, kChunkColumns / packed.width());
    const auto status = run::for_each_task(work, tiles, [&](std::size_t task, int worker) -> Status {
      kernels::FloatBuffer& room = rooms[static_cast<std::size_t>(worker)];
      if (!room.resize(kRowTile * kChunkColumns)) return fail(ErrorCode::Memory, "not enough memory");
      const std::size_t row = task * kRowTile, count = std::min(kRowTile, rows - row);
      for (std::size_t panel = 0; panel < packed.panels(); panel += step) {
        const std::size_t panels = std::min(step, packed.panels() - panel), begin = panel * packed.width();
        const std::size_t columns = std::min(panels * packed.width(), packed.outputs() - begin);
        const std::size_t entry = first + begin;
        kernels::multiply(packed, panel, panels, inputs_.data() + row * width, count, width, room.data(),
                          columns, false);
        for (std::size_t r = 0; r < count; ++r) {
          const float* values = room.data() + r * columns;
          const double expected =
              dot(probabilities_.data() + (row + r) * vocabulary + entry, values, columns);
          for (std::size_t d = 0; d < draws; ++d) {
            const auto label = static_cast<std::size_t>(labels_[d * rows + row + r]);
            at_row[d * rows + row + r] -= expected;
            if (label >= entry && label < entry + columns)
              at_row[d * rows + row + r] += static_cast<double>(values[label - entry]);
          }
        }
      }
      return {};
    });
    if (!status) return status;
  }
  responses.assign(draws * chunk.windows, 0.0);
  for (std::size_t d = 0; d < draws; ++d)
    for (std::size_t row = 0; row < rows; ++row)
      responses[d * chunk.windows + row / scored] += at_row[d * rows + row];
  return {};
}

}  // namespace bitlens::sensitivity
