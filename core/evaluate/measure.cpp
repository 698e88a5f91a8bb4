// Measuring one view of a model, or two views side by side: both go through a layer before the next one is
// touched, and as long as they cannot differ they are one.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "core/evaluate/paired.h"
#include "core/evaluate/perplexity.h"
#include "core/evaluate/score.h"
#include "core/run/forward.h"
#include "kernels/formats/codec.h"

namespace bitlens::evaluate {

namespace {

using kernels::FloatBuffer;

class Pairing {
 public:
  Pairing(run::Forward subject, std::optional<run::Forward> base)
      : subject_(std::move(subject)), base_(std::move(base)) {
    const int layers = static_cast<int>(subject_.parameters().layers);
    if (base_ && same_start())
      while (shared_layers_ < layers && same_layer(shared_layers_)) ++shared_layers_;
    // Until they part, the base's pass is also the subject's.
    if (base_ && !same_start()) shared_layers_ = -1;
  }

  [[nodiscard]] const run::Forward& subject() const { return subject_; }
  [[nodiscard]] const run::Forward* base() const { return base_ ? &*base_ : nullptr; }
  /// How many layers the two have in common; -1: not even the embedding.
  [[nodiscard]] int shared_layers() const { return shared_layers_; }
  /// Do they have hidden states of their own after the last layer?
  [[nodiscard]] bool parts() const {
    return base_ && shared_layers_ < static_cast<int>(subject_.parameters().layers);
  }
  /// Tensors of a layer that must be read again for the subject after the base; nullopt: all.
  [[nodiscard]] std::optional<std::vector<std::size_t>> changed(int layer) const {
    if (&subject_.source().model().file() != &base_->source().model().file() || !same_compute())
      return std::nullopt;
    std::vector<std::size_t> tensors;
    for (const std::size_t tensor : subject_.layer_tensors(layer))
      if (!run::same_weights(subject_.source(), base_->source(), tensor)) tensors.push_back(tensor);
    return tensors;
  }

 private:
  [[nodiscard]] bool same(std::size_t tensor) const {
    return run::same_weights(subject_.source(), base_->source(), tensor);
  }
  [[nodiscard]] bool same_compute() const { return subject_.compute() == base_->compute(); }
  [[nodiscard]] bool same_start() const {
    const auto divisors = subject_.source().model().global_tensor(model::Module::RopeFreqs);
    return same(subject_.embedding_tensor()) && (!divisors || same(*divisors));
  }
  [[nodiscard]] bool same_layer(int layer) const {
    const model::Model& model = subject_.source().model();
    return same_compute() && std::ranges::all_of(subject_.layer_tensors(layer), [&](std::size_t tensor) {
             const auto rounding = kernels::info(subject_.source().format(tensor)).activation;
             const bool rounds = subject_.rounds_activations() && model.role(tensor).is_matrix &&
                                 rounding != kernels::ActivationRounding::None;
             return same(tensor) && !rounds;
           });
  }

  run::Forward subject_;
  std::optional<run::Forward> base_;
  int shared_layers_ = 0;
};

/// Progress in windows x layers; the scoring of a window counts as so many layers as it costs.
class Meter {
 public:
  Meter(const WorkContext& work, const Pairing& pairing, const Windows& windows) : work_(work) {
    const model::LlamaParameters& p = pairing.subject().parameters();
    const double layer =
        2.0 * p.width * p.head_dim * (double{1} * p.heads + p.kv_heads) + 3.0 * p.width * p.ffn_width;
    const double head = double{1} * p.width * p.vocabulary *
                        static_cast<double>(windows.scored_per_window()) / windows.context;
    head_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(head / layer));
    const std::uint64_t streams = pairing.parts() ? 2 : 1;
    head_ *= streams;
    const std::uint64_t shared =
        pairing.parts() ? static_cast<std::uint64_t>(std::max(0, pairing.shared_layers())) : 0;
    total_ = windows.inputs.size() * (streams * p.layers - shared + head_);
    work_.report("forward", 0, total_);
  }
  void add(std::uint64_t windows) { work_.report("forward", done_ += windows, total_); }
  /// `share` of the scoring of `windows` windows is done.
  void scoring(std::uint64_t windows, double share) {
    work_.report("forward", done_ + static_cast<std::uint64_t>(share * static_cast<double>(windows * head_)),
                 total_);
  }
  void scored(std::uint64_t windows) { done_ += windows * head_; }

 private:
  const WorkContext& work_;
  std::uint64_t head_ = 0, total_ = 0, done_ = 0;
};

/// Runs one group of windows at a time through both models.
class Runner {
 public:
  Runner(const Pairing& pairing, const Windows& windows, Meter& meter, const WorkContext& work)
      : pairing_(pairing), windows_(windows), meter_(meter), work_(work) {}

  /// Hidden states held per window, in bytes.
  [[nodiscard]] std::uint64_t bytes_per_window() const {
    const std::uint64_t streams = pairing_.parts() ? 2 : 1;
    return streams * (windows_.context + windows_.scored_per_window()) * width() * sizeof(float);
  }

  /// Results of windows [first, first + count), appended to `results`.
  Status run(std::size_t first, std::size_t count, std::vector<TokenResult>& results) {
    const std::size_t floats = count * windows_.context * width();
    if (!base_.resize(floats) || (pairing_.parts() && !subject_.resize(floats)))
      return fail(ErrorCode::Memory,
                  fmt::format("not enough memory for {} windows of {} tokens", count, windows_.context));
    if (auto s = run_layers(std::span(windows_.inputs).subspan(first, count)); !s) return s;
    return score_windows(first, count, results);
  }

 private:
  [[nodiscard]] std::size_t width() const { return pairing_.subject().parameters().width; }
  /// The model whose pass both share, as long as they do.
  [[nodiscard]] const run::Forward& leader() const {
    return pairing_.base() != nullptr ? *pairing_.base() : pairing_.subject();
  }

  Status run_layers(std::span<const std::vector<tokenizer::TokenId>> inputs) {
    if (auto s = leader().embed(inputs, base_.data(), work_); !s) return s;
    if (pairing_.parts() && pairing_.shared_layers() < 0)
      if (auto s = pairing_.subject().embed(inputs, subject_.data(), work_); !s) return s;
    const int layers = static_cast<int>(pairing_.subject().parameters().layers);
    for (int layer = 0; layer < layers; ++layer) {
      if (pairing_.parts() && layer == pairing_.shared_layers())
        std::copy_n(base_.data(), inputs.size() * windows_.context * width(), subject_.data());
      if (auto s = leader().load_layer(layer, weights_, work_); !s) return s;
      if (auto s = run_layer(leader(), base_, inputs.size()); !s) return s;
      if (!pairing_.parts() || layer < pairing_.shared_layers()) continue;
      const auto changed = pairing_.changed(layer);
      if (auto s = pairing_.subject().load_layer(layer, weights_, work_, changed ? &*changed : nullptr); !s)
        return s;
      if (auto s = run_layer(pairing_.subject(), subject_, inputs.size()); !s) return s;
    }
    return {};
  }

  Status run_layer(const run::Forward& forward, FloatBuffer& hidden, std::size_t windows) {
    const std::size_t batch = forward.windows_per_batch(false);
    for (std::size_t w = 0; w < windows; w += batch) {
      const std::size_t some = std::min(batch, windows - w);
      float* states = hidden.data() + w * windows_.context * width();
      if (auto s = forward.run_layer(weights_, states, some, activations_, work_); !s) return s;
      meter_.add(some);
    }
    return {};
  }

  /// The scored positions' inputs to the output matrix.
  Status gather(const run::Forward& forward, const FloatBuffer& hidden, std::size_t count,
                FloatBuffer& inputs) {
    const std::size_t scored = windows_.scored_per_window(), rows = count * scored;
    if (!inputs.resize(rows * width()))
      return fail(ErrorCode::Memory, "not enough memory for the scored positions");
    for (std::size_t w = 0; w < count; ++w)
      std::copy_n(hidden.data() + (w * windows_.context + windows_.first_scored) * width(), scored * width(),
                  inputs.data() + w * scored * width());
    return head_inputs(forward, inputs.data(), rows, work_);
  }

  Status score_windows(std::size_t first, std::size_t count, std::vector<TokenResult>& results) {
    std::vector<tokenizer::TokenId> targets;
    for (std::size_t w = first; w < first + count; ++w)
      targets.insert(targets.end(), windows_.targets[w].begin() + windows_.first_scored,
                     windows_.targets[w].begin() + windows_.last_scored + 1);
    const run::Forward* base = pairing_.base();
    // One set of inputs serves both if neither the layers nor what comes after them differs.
    const bool apart = base != nullptr && (pairing_.parts() || !same_head());
    if (auto s = gather(leader(), base_, count, base_inputs_); !s) return s;
    if (apart)
      if (auto s = gather(pairing_.subject(), pairing_.parts() ? subject_ : base_, count, subject_inputs_);
          !s)
        return s;
    const ScoreInput subject{&pairing_.subject(), apart ? subject_inputs_.data() : base_inputs_.data()};
    const ScoreInput reference{base, base_inputs_.data()};
    auto scored = score(subject, base != nullptr ? &reference : nullptr, targets, work_,
                        [&](double share) { meter_.scoring(count, share); });
    if (!scored) return pass(scored);
    meter_.scored(count);
    results.insert(results.end(), scored->begin(), scored->end());
    return {};
  }

  /// Same norm, and no rounding of what goes into the output matrix.
  [[nodiscard]] bool same_head() const {
    const run::Forward& subject = pairing_.subject();
    const auto rounding = kernels::info(subject.source().format(subject.output_tensor())).activation;
    return run::same_weights(subject.source(), pairing_.base()->source(), subject.output_norm_tensor()) &&
           (!subject.rounds_activations() || rounding == kernels::ActivationRounding::None);
  }

  const Pairing& pairing_;
  const Windows& windows_;
  Meter& meter_;
  const WorkContext& work_;
  FloatBuffer base_, subject_, base_inputs_, subject_inputs_;  // base_: of the leader
  run::LayerWeights weights_;
  run::LayerActivations activations_;
};

/// All windows through both models, in groups whose hidden states fit the budget.
Result<std::vector<TokenResult>> run_all(const Pairing& pairing, const Windows& windows, std::uint64_t budget,
                                         const WorkContext& work) {
  Meter meter(work, pairing, windows);
  Runner runner(pairing, windows, meter, work);
  const std::size_t count = windows.inputs.size();
  const std::size_t group = std::clamp<std::size_t>(budget / runner.bytes_per_window(), 1, count);
  std::vector<TokenResult> tokens;
  tokens.reserve(count * windows.scored_per_window());
  for (std::size_t first = 0; first < count; first += group)
    if (auto s = runner.run(first, std::min(group, count - first), tokens); !s) return pass(s);
  return tokens;
}

/// The first window with fast products against the same with exact ones.
Result<Deviation> deviation_of(const run::Forward& fast, const Windows& windows, const Options& options,
                               const WorkContext& work) {
  auto subject =
      run::Forward::create(fast.source(), windows.context, fast.rounds_activations(), Compute::Fast);
  auto base = run::Forward::create(fast.source(), windows.context, fast.rounds_activations(), Compute::Exact);
  if (!subject) return pass(subject);
  if (!base) return pass(base);
  Windows first = windows;
  first.inputs.resize(1);
  first.targets.resize(1);
  const WorkContext unseen{work.pool, work.stop, {}};
  const auto tokens =
      run_all(Pairing(std::move(*subject), std::move(*base)), first, options.memory_budget, unseen);
  if (!tokens) return pass(tokens);
  const Comparison compared = compare(*tokens, 1);
  return Deviation{1, compared.base.scored_tokens, compared.ln_ratio, compared.ln_ratio_se, compared.kl_mean};
}

Status check_windows(const Windows& windows) {
  const bool fits = !windows.inputs.empty() && windows.inputs.size() == windows.targets.size() &&
                    windows.first_scored <= windows.last_scored && windows.last_scored + 1 < windows.context;
  if (!fits) return fail(ErrorCode::InvalidArgument, "no windows to score");
  for (const auto& targets : windows.targets)
    if (targets.size() + 1 < windows.context)
      return fail(ErrorCode::InvalidArgument, "a window lacks targets");
  return {};
}

}  // namespace

Result<Measurement> measure(const run::WeightSource& subject, const run::WeightSource* base,
                            const Windows& windows, const Options& options, const WorkContext& work) {
  const auto start = std::chrono::steady_clock::now();
  if (auto status = check_windows(windows); !status) return pass(status);
  auto subject_forward =
      run::Forward::create(subject, windows.context, options.activations == Activations::Q8, options.compute);
  if (!subject_forward) return pass(subject_forward);
  std::optional<run::Forward> base_forward;
  if (base != nullptr) {
    auto forward = run::Forward::create(*base, windows.context, false, options.compute);
    if (!forward) return pass(forward);
    base_forward = std::move(*forward);
    const std::uint32_t own = subject_forward->parameters().vocabulary,
                        other = base_forward->parameters().vocabulary;
    if (own != other)
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("vocabularies of {} and {} tokens cannot be compared", own, other),
                  {base->model().file().path(), {}, {}});
  }
  for (const auto& targets : windows.targets)
    for (const tokenizer::TokenId target : targets)
      if (target < 0 || static_cast<std::uint32_t>(target) >= subject_forward->parameters().vocabulary)
        return fail(ErrorCode::InvalidArgument, fmt::format("token {} is outside the vocabulary", target));

  const Pairing pairing(std::move(*subject_forward), std::move(base_forward));
  const auto scored = run_all(pairing, windows, options.memory_budget, work);
  if (!scored) return pass(scored);
  const std::vector<TokenResult>& tokens = *scored;

  Measurement result;
  result.perplexity = subject_perplexity(tokens, windows.inputs.size());
  if (base != nullptr) result.comparison = compare(tokens, windows.inputs.size());
  if (options.compute == Compute::Fast) {
    auto deviation = deviation_of(pairing.subject(), windows, options, work);
    if (!deviation) return pass(deviation);
    result.deviation = *deviation;
  }
  result.compute = options.compute;
  result.protocol = options.protocol;
  result.activations = options.activations;
  result.context = windows.context;
  for (const TokenResult& token : tokens) result.token_nll.push_back(static_cast<float>(token.nll));
  if (base != nullptr)
    for (const TokenResult& token : tokens) result.token_kl.push_back(static_cast<float>(token.kl));
  result.warnings = windows.warnings;
  const model::LlamaParameters& p = pairing.subject().parameters();
  if (p.sliding_window != 0 && p.sliding_window < windows.context)
    result.warnings.push_back(
        fmt::format("the model attends to the last {} tokens only (sliding window)", p.sliding_window));
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace bitlens::evaluate
