#include "core/evaluate/tasks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/evaluate/score.h"
#include "core/run/forward.h"

namespace bitlens::evaluate {

namespace {

using kernels::FloatBuffer;
using tokenizer::TokenId;

/// Sequences are padded to a multiple of this: few lengths, so few passes over the weights, and little waste.
/// What follows a token does not change what comes before it, so the padding has no effect on any number.
constexpr std::size_t kLengthStep = 32;

/// One candidate behind its prompt. Positions [first, tokens.size()) are the candidate's.
struct Sequence {
  std::vector<TokenId> tokens;
  std::size_t first = 0;
  std::size_t item = 0, candidate = 0;
};

Error item_error(std::size_t item, const std::string& what) {
  return {ErrorCode::InvalidArgument, fmt::format("item {}: {}", item, what), {}, {}};
}

Status append_sequences(const TaskItem& item, std::size_t index, const tokenizer::Tokenizer& tokenizer,
                        std::vector<Sequence>& sequences) {
  if (item.candidates.size() < 2 || item.answer >= item.candidates.size())
    return tl::unexpected<Error>(
        item_error(index, "at least two candidates and an answer among them are needed"));
  const auto prompt = tokenizer.encode(item.prompt);
  if (!prompt) return pass(prompt);
  for (std::size_t c = 0; c < item.candidates.size(); ++c) {
    const auto whole = tokenizer.encode(item.prompt + item.candidates[c]);
    if (!whole) return pass(whole);
    const auto parted = std::mismatch(prompt->begin(), prompt->end(), whole->begin(), whole->end());
    Sequence sequence;
    sequence.item = index;
    sequence.candidate = c;
    if (tokenizer.adds_bos() && tokenizer.bos()) sequence.tokens.push_back(*tokenizer.bos());
    sequence.first = sequence.tokens.size() + static_cast<std::size_t>(parted.first - prompt->begin());
    sequence.tokens.insert(sequence.tokens.end(), whole->begin(), whole->end());
    if (sequence.first >= sequence.tokens.size())
      return tl::unexpected<Error>(
          item_error(index, fmt::format("candidate {} adds no token to the prompt", c)));
    if (sequence.first == 0)
      return tl::unexpected<Error>(
          item_error(index, "nothing stands before the candidate: the prompt is empty"));
    sequences.push_back(std::move(sequence));
  }
  return {};
}

/// Runs sequences of one padded length and adds up their candidates' log-probabilities.
class LengthRunner {
 public:
  LengthRunner(const run::Forward& forward, const WorkContext& work) : forward_(forward), work_(work) {}

  /// log_probability[i] of sequences[i]; `advance` after every layer.
  Status run(std::span<const Sequence* const> sequences, std::vector<double>& log_probability,
             const std::function<void()>& advance) {
    const std::size_t length = forward_.context(), width = forward_.parameters().width;
    std::vector<std::vector<TokenId>> windows;
    for (const Sequence* sequence : sequences) {
      windows.push_back(sequence->tokens);
      windows.back().resize(length, sequence->tokens.back());
    }
    if (!hidden_.resize(windows.size() * length * width))
      return fail(ErrorCode::Memory,
                  fmt::format("not enough memory for {} sequences of {} tokens", windows.size(), length));
    if (auto s = forward_.embed(windows, hidden_.data(), work_); !s) return s;
    for (int layer = 0; layer < static_cast<int>(forward_.parameters().layers); ++layer) {
      if (auto s = forward_.load_layer(layer, weights_, work_); !s) return s;
      const std::size_t batch = forward_.windows_per_batch(false);
      for (std::size_t w = 0; w < windows.size(); w += batch)
        if (auto s = forward_.run_layer(weights_, hidden_.data() + w * length * width,
                                        std::min(batch, windows.size() - w), activations_, work_);
            !s)
          return s;
      advance();
    }
    return score_candidates(sequences, log_probability);
  }

 private:
  Status score_candidates(std::span<const Sequence* const> sequences, std::vector<double>& log_probability) {
    const std::size_t length = forward_.context(), width = forward_.parameters().width;
    std::vector<TokenId> targets;
    for (const Sequence* s : sequences)
      targets.insert(targets.end(), s->tokens.begin() + static_cast<std::ptrdiff_t>(s->first),
                     s->tokens.end());
    if (!inputs_.resize(targets.size() * width))
      return fail(ErrorCode::Memory, "not enough memory for the candidates");
    std::size_t row = 0;
    for (std::size_t w = 0; w < sequences.size(); ++w) {
      // The state at a position predicts the next token.
      const std::size_t tokens = sequences[w]->tokens.size() - sequences[w]->first;
      std::copy_n(hidden_.data() + (w * length + sequences[w]->first - 1) * width, tokens * width,
                  inputs_.data() + row * width);
      row += tokens;
    }
    if (auto s = head_inputs(forward_, inputs_.data(), targets.size(), work_); !s) return s;
    const auto scored = score({&forward_, inputs_.data()}, nullptr, targets, work_, [](double) {});
    if (!scored) return pass(scored);
    row = 0;
    for (const Sequence* s : sequences) {
      double sum = 0;
      for (std::size_t i = s->first; i < s->tokens.size(); ++i) sum -= (*scored)[row++].nll;
      log_probability.push_back(sum);
    }
    return {};
  }

  const run::Forward& forward_;
  const WorkContext& work_;
  FloatBuffer hidden_, inputs_;
  run::LayerWeights weights_;
  run::LayerActivations activations_;
};

void count(TaskScore& score, const TaskItem& item, bool right) {
  score.chance =
      (score.chance * static_cast<double>(score.items) + 1.0 / static_cast<double>(item.candidates.size())) /
      static_cast<double>(score.items + 1);
  ++score.items;
  score.right += right ? 1 : 0;
}

TaskResults decide(std::span<const TaskItem> items, const std::vector<std::vector<double>>& log_probability) {
  TaskResults out;
  out.all.kind = "all";
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::vector<double>& of = log_probability[i];
    TaskChoice choice;
    double best_wrong = -INFINITY;
    for (std::uint32_t c = 0; c < of.size(); ++c) {
      if (of[c] > of[choice.chosen]) choice.chosen = c;
      if (c != items[i].answer) best_wrong = std::max(best_wrong, of[c]);
    }
    choice.margin = of[items[i].answer] - best_wrong;
    const bool right = choice.chosen == items[i].answer;
    auto kind = std::ranges::find(out.kinds, items[i].kind, &TaskScore::kind);
    if (kind == out.kinds.end()) {
      out.kinds.push_back({items[i].kind});
      kind = std::prev(out.kinds.end());
    }
    count(*kind, items[i], right);
    count(out.all, items[i], right);
    out.items.push_back(choice);
  }
  return out;
}

}  // namespace

double TaskScore::accuracy() const {
  return items == 0 ? NAN : static_cast<double>(right) / static_cast<double>(items);
}

double TaskScore::standard_error() const {
  return items == 0 ? NAN : std::sqrt(accuracy() * (1 - accuracy()) / static_cast<double>(items));
}

Result<TaskResults> score_tasks(const run::WeightSource& source, const tokenizer::Tokenizer& tokenizer,
                                std::span<const TaskItem> items, Activations activations, Compute compute,
                                std::uint64_t memory_budget, const WorkContext& work) {
  if (items.empty()) return fail(ErrorCode::InvalidArgument, "no task items to score");
  std::vector<Sequence> sequences;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (auto s = append_sequences(items[i], i, tokenizer, sequences); !s) return pass(s);
  std::map<std::size_t, std::vector<const Sequence*>> by_length;
  for (const Sequence& sequence : sequences)
    by_length[(sequence.tokens.size() + kLengthStep - 1) / kLengthStep * kLengthStep].push_back(&sequence);

  std::vector<std::vector<double>> log_probability(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) log_probability[i].resize(items[i].candidates.size());
  std::uint64_t done = 0;
  std::vector<std::string> warnings;
  for (const auto& [length, members] : by_length) {
    const auto forward = run::Forward::create(source, static_cast<std::uint32_t>(length),
                                              activations == Activations::Q8, compute);
    if (!forward) return pass(forward);
    const std::uint32_t layers = forward->parameters().layers, own = forward->parameters().context;
    const std::uint64_t total = std::uint64_t{sequences.size()} * layers;
    const bool too_long =
        std::ranges::any_of(members, [&](const Sequence* s) { return own != 0 && s->tokens.size() > own; });
    if (too_long && warnings.empty())
      warnings.push_back(fmt::format("some items are longer than the model's own context of {} tokens", own));
    const std::uint64_t bytes = std::uint64_t{length} * forward->parameters().width * sizeof(float);
    const std::size_t group = static_cast<std::size_t>(std::max<std::uint64_t>(1, memory_budget / bytes));
    LengthRunner runner(*forward, work);
    for (std::size_t first = 0; first < members.size(); first += group) {
      const std::size_t some = std::min(group, members.size() - first);
      std::vector<double> sums;
      auto s = runner.run(std::span(members).subspan(first, some), sums,
                          [&] { work.report("tasks", done += some, total); });
      if (!s) return pass(s);
      for (std::size_t i = 0; i < some; ++i)
        log_probability[members[first + i]->item][members[first + i]->candidate] = sums[i];
    }
  }
  TaskResults out = decide(items, log_probability);
  out.warnings = std::move(warnings);
  return out;
}

}  // namespace bitlens::evaluate
