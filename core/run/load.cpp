// Making a Forward, and getting weights from a WeightSource into the order the products read.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/run/forward.h"
#include "core/run/tasks.h"

namespace bitlens::run {

using model::Module;

namespace {

tl::unexpected<Error> no_memory(std::string_view what) {
  return fail(ErrorCode::Memory, fmt::format("not enough memory for {}", what));
}

}  // namespace

Result<Forward> Forward::create(const WeightSource& source, std::uint32_t context, bool round_activations,
                                kernels::Compute compute) {
  const model::Model& model = source.model();
  if (!model.llama()) return pass(model.llama());
  if (context == 0) return fail(ErrorCode::InvalidArgument, "a window needs at least one token");
  Forward forward;
  forward.source_ = &source;
  forward.parameters_ = *model.llama();
  forward.context_ = context;
  forward.round_activations_ = round_activations;
  forward.compute_ = compute;
  // llama() has checked that all of these exist.
  forward.embedding_ = model.global_tensor(Module::TokenEmbedding).value_or(0);
  forward.output_ = model.global_tensor(Module::Output).value_or(forward.embedding_);
  forward.output_norm_ = model.global_tensor(Module::OutputNorm).value_or(0);
  if (auto status = forward.fill_rotation(); !status) return pass(status);
  return forward;
}

/// Angles of the rotary embedding: position / linear_factor * freq_base^(-2i / dimensions) / divisor_i.
Status Forward::fill_rotation() {
  const model::RopeParameters& rope = parameters_.rope;
  const std::size_t pairs = rope.dimensions / 2;
  std::vector<float> divisors(pairs, 1.0F);
  auto tensor = source_->model().global_tensor(Module::RopeFreqs);
  if (!tensor) tensor = source_->model().block_tensor(0, Module::RopeFreqs);
  if (tensor) {
    if (auto status = load_vector(*tensor, divisors); !status) return status;
    for (const float divisor : divisors)
      if (!(divisor > 0.0F))
        return fail(ErrorCode::BadFile, fmt::format("holds {}, must be positive", divisor),
                    {source_->model().file().path(), source_->model().file().tensors()[*tensor].name, {}});
  }
  if (!rotation_.resize(std::size_t{context_} * rope.dimensions)) return no_memory("the rotary embedding");
  float* angles = rotation_.data();
  for (std::size_t position = 0; position < context_; ++position)
    for (std::size_t i = 0; i < pairs; ++i) {
      const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(rope.dimensions);
      const double angle = static_cast<double>(position) / rope.linear_factor *
                           std::pow(rope.freq_base, exponent) / static_cast<double>(divisors[i]);
      *angles++ = static_cast<float>(std::cos(angle));
      *angles++ = static_cast<float>(std::sin(angle));
    }
  return {};
}

std::vector<std::size_t> Forward::layer_tensors(int layer) const {
  const model::Model& model = source_->model();
  std::vector<std::size_t> tensors;
  for (std::size_t i = 0; i < model.file().tensors().size(); ++i)
    if (model.role(i).layer == layer && model.role(i).module != Module::Other) tensors.push_back(i);
  return tensors;
}

Status Forward::load_vector(std::size_t tensor, std::vector<float>& values) const {
  const io::TensorInfo& info = source_->model().file().tensors()[tensor];
  values.resize(info.elements());
  return source_->load_rows(tensor, 0, info.rows(), values.data());
}

Status Forward::load_linear(std::size_t tensor, std::uint64_t first, std::uint64_t rows, Linear& linear,
                            const WorkContext& work) const {
  const io::TensorInfo& info = source_->model().file().tensors()[tensor];
  const std::size_t inputs = info.row_length();
  kernels::PackedMatrix& packed = linear.weights;
  const kernels::Format format = source_->format(tensor);
  if (!packed.reset(rows, inputs, format, compute_)) return no_memory(info.name);
  linear.tensor = tensor;
  const kernels::FormatInfo& stored = kernels::info(format);
  const std::size_t row_bytes = inputs / stored.block_size * stored.block_bytes;
  constexpr std::size_t weights_per_task = 1 << 16;
  const std::size_t step = std::max<std::size_t>(1, weights_per_task / (packed.width() * inputs));
  struct Room {
    kernels::FloatBuffer decoded;
    kernels::Buffer<std::byte> encoded;
  };
  std::vector<Room> rooms(static_cast<std::size_t>(work.pool.size()));
  return for_each_task(
      work, (packed.panels() + step - 1) / step, [&](std::size_t task, int worker) -> Status {
        auto& [decoded, encoded] = rooms[static_cast<std::size_t>(worker)];
        const std::size_t begin = task * step, end = std::min(packed.panels(), begin + step);
        const std::size_t first_row = begin * packed.width();
        const std::size_t count = std::min<std::size_t>(rows - first_row, (end - begin) * packed.width());
        if (packed.holds_integers()) {
          if (!encoded.resize(count * row_bytes)) return no_memory(info.name);
          if (auto s = source_->load_encoded(tensor, first + first_row, count, encoded.data()); !s) return s;
          bool finite = true;
          for (std::size_t panel = begin; panel < end; ++panel)
            finite =
                packed.pack_blocks(panel, encoded.data() + (panel - begin) * packed.width() * row_bytes) &&
                finite;
          if (finite) return {};
        }
        if (!decoded.resize(count * inputs)) return no_memory(info.name);
        // Of blocks with a NaN or infinite scale, this names the first weight that is.
        if (auto s = source_->load_rows(tensor, first + first_row, count, decoded.data()); !s) return s;
        if (packed.holds_integers())
          return fail(ErrorCode::Numeric, "a scale is NaN or infinite", {{}, info.name, {}});
        for (std::size_t panel = begin; panel < end; ++panel)
          packed.pack_panel(panel, decoded.data() + (panel - begin) * packed.width() * inputs);
        return {};
      });
}

Status Forward::load_layer(int layer, LayerWeights& weights, const WorkContext& work,
                           const std::vector<std::size_t>* only) const {
  const model::Model& model = source_->model();
  const auto wanted = [&](std::size_t tensor) {
    return only == nullptr || std::ranges::find(*only, tensor) != only->end();
  };
  const auto vector = [&](std::size_t tensor, std::vector<float>& values) -> Status {
    return wanted(tensor) ? load_vector(tensor, values) : Status{};
  };
  const auto linear = [&](Module module, Linear& target) -> Status {
    const std::size_t tensor = model.block_tensor(layer, module).value_or(0);
    const std::uint64_t rows = model.file().tensors()[tensor].rows();
    if (wanted(tensor))
      if (auto status = load_linear(tensor, 0, rows, target, work); !status) return status;
    target.rounding = round_activations_ ? kernels::info(source_->format(tensor)).activation
                                         : kernels::ActivationRounding::None;
    const auto bias =
        model.file().find_tensor(fmt::format("blk.{}.{}.bias", layer, model::module_name(module)));
    if (!bias) {
      target.bias.clear();
      return {};
    }
    return vector(*bias, target.bias);
  };
  weights.layer = layer;
  const auto attn_norm = model.block_tensor(layer, Module::AttnNorm).value_or(0);
  const auto ffn_norm = model.block_tensor(layer, Module::FfnNorm).value_or(0);
  if (auto s = vector(attn_norm, weights.attn_norm); !s) return s;
  if (auto s = vector(ffn_norm, weights.ffn_norm); !s) return s;
  if (auto s = linear(Module::AttnQ, weights.q); !s) return s;
  if (auto s = linear(Module::AttnK, weights.k); !s) return s;
  if (auto s = linear(Module::AttnV, weights.v); !s) return s;
  if (auto s = linear(Module::AttnOutput, weights.attn_output); !s) return s;
  if (auto s = linear(Module::FfnGate, weights.gate); !s) return s;
  if (auto s = linear(Module::FfnUp, weights.up); !s) return s;
  return linear(Module::FfnDown, weights.down);
}

Status Forward::load_output(std::uint64_t first, std::uint64_t rows, Linear& output,
                            const WorkContext& work) const {
  output.bias.clear();
  output.rounding = round_activations_ ? kernels::info(source_->format(output_)).activation
                                       : kernels::ActivationRounding::None;
  return load_linear(output_, first, rows, output, work);
}

Status Forward::embed(std::span<const std::vector<std::int32_t>> windows, float* hidden,
                      const WorkContext& work) const {
  const std::size_t width = parameters_.width;
  // Every token is decoded once, where it appears first, and copied from there.
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> first_row(parameters_.vocabulary, none);
  std::vector<std::size_t> decoded_rows, source_rows(windows.size() * context_);
  for (std::size_t w = 0; w < windows.size(); ++w) {
    if (windows[w].size() != context_)
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("window {} has {} tokens, expected {}", w, windows[w].size(), context_));
    for (std::size_t p = 0; p < context_; ++p) {
      const std::int32_t token = windows[w][p];
      if (token < 0 || static_cast<std::uint32_t>(token) >= parameters_.vocabulary)
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("token {} is outside the vocabulary of {}", token, parameters_.vocabulary));
      const std::size_t row = w * context_ + p;
      std::size_t& first = first_row[static_cast<std::size_t>(token)];
      if (first == none) {
        first = row;
        decoded_rows.push_back(row);
      }
      source_rows[row] = first;
    }
  }
  constexpr std::size_t rows_per_task = 64;
  const std::size_t tasks = (decoded_rows.size() + rows_per_task - 1) / rows_per_task;
  const auto decoded = for_each_task(work, tasks, [&](std::size_t task, int) -> Status {
    const std::size_t end = std::min(decoded_rows.size(), (task + 1) * rows_per_task);
    for (std::size_t i = task * rows_per_task; i < end; ++i) {
      const std::size_t row = decoded_rows[i];
      const auto token = static_cast<std::uint64_t>(windows[row / context_][row % context_]);
      if (auto status = source_->load_rows(embedding_, token, 1, hidden + row * width); !status)
        return status;
    }
    return {};
  });
  if (!decoded) return decoded;
  for (std::size_t row = 0; row < source_rows.size(); ++row)
    if (source_rows[row] != row) std::copy_n(hidden + source_rows[row] * width, width, hidden + row * width);
  return {};
}

}  // namespace bitlens::run
