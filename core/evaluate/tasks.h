// Cloze tasks: a prompt, a few candidates, one of them right. A model is right if the right candidate has the
// highest log-probability, summed over its tokens (nats; no division by length: candidates of an item should
// be alike), as "acc" of the LM evaluation harness. A candidate's tokens are those of prompt + candidate
// after what they share with the prompt's own tokens; BOS goes to the head if the model adds it. Of equal
// candidates the first counts as chosen.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/evaluate/perplexity.h"
#include "core/run/weights.h"
#include "core/tokenizer/tokenizer.h"

namespace bitlens::evaluate {

struct TaskItem {
  std::string kind;  ///< what is asked for: "where", "sum", ...
  std::string prompt;
  std::vector<std::string> candidates;  ///< at least two
  std::uint32_t answer = 0;             ///< index of the right one
};

/// Over the items of one kind, or over all.
struct TaskScore {
  std::string kind;  ///< "all" over all
  std::uint64_t items = 0, right = 0;
  double chance = 0;                            ///< mean of 1 / candidates: what guessing gets, 0..1
  [[nodiscard]] double accuracy() const;        ///< right / items
  [[nodiscard]] double standard_error() const;  ///< binomial: sqrt(accuracy (1 - accuracy) / items)
};

struct TaskChoice {
  std::uint32_t chosen = 0;  ///< index of the candidate with the highest log-probability
  /// Log-probability of the right candidate minus that of the best wrong one, nats; positive: right.
  double margin = 0;
};

struct TaskResults {
  std::vector<TaskScore> kinds;  ///< in order of first appearance
  TaskScore all;
  std::vector<TaskChoice> items;
  std::vector<std::string> warnings;
};

/// Scores `source` on `items`. InvalidArgument, naming the item, if a candidate adds no token to its prompt
/// or an item is malformed; Numeric as measure(). `memory_budget`: bytes of hidden states held at once.
[[nodiscard]] Result<TaskResults> score_tasks(const run::WeightSource& source,
                                              const tokenizer::Tokenizer& tokenizer,
                                              std::span<const TaskItem> items, Activations activations,
                                              Compute compute, std::uint64_t memory_budget,
                                              const WorkContext& work);

}  // namespace bitlens::evaluate
