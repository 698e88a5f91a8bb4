// The work behind response_vectors(): rounds of draws, each going down through the blocks once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/run/backward.h"
#include "core/sensitivity/base_run.h"
#include "core/sensitivity/changes.h"
#include "core/sensitivity/costs.h"
#include "core/sensitivity/fisher.h"
#include "core/sensitivity/head_gradient.h"
#include "core/sensitivity/pace.h"
#include "core/sensitivity/response.h"

namespace bitlens::sensitivity {

/// A matrix of a block on its two sides: the inputs in the record, the gradients in the block's.
struct Sides {
  kernels::FloatBuffer BlockRecord::*input;
  kernels::FloatBuffer run::BlockGradients::*gradient;
};
/// nullopt: no matrix of a block.
[[nodiscard]] std::optional<Sides> sides_of(model::Module module);

/// Some draws of all windows, `text`: and the text's own labels; and how far they are: `layer` is the block
/// being crossed (layers(): the head, -1: what stands in front of the blocks), the chunks in front of `chunk`
/// have crossed it.
struct Round {
  std::size_t first_draw = 0, draws = 0;
  bool text = false;
  int layer = 0;
  std::size_t chunk = 0;
  [[nodiscard]] Round at(int its_layer, std::size_t its_chunk) const {
    return {first_draw, draws, text, its_layer, its_chunk};
  }
};

class Responder {
 public:
  static Result<std::unique_ptr<Responder>> make(const std::shared_ptr<const model::Model>& model,
                                                 std::vector<Cell> cells, const evaluate::Windows& windows,
                                                 const ResponseOptions& options);
  /// Takes over what is known; call before run().
  Status start_from(const KnownResponses& known);
  Status run(const ResponseCallback& on_update, const WorkContext& work);
  ResponseMatrix take() { return std::move(matrix_); }

 private:
  Responder() = default;
  /// The rounds that what is left is done in.
  [[nodiscard]] std::vector<Round> plan_rounds();
  Status run_round(const Round& round, const WorkContext& work);
  void cut_into_chunks(const Round& round);
  Status through_head(const Round& round, std::span<const Change> of_output, const WorkContext& work);
  Status through_layer(const Round& round, int layer, const WorkContext& work);
  /// What a killed run left of the round that follows the known draws.
  std::optional<Round> restore_round();
  void save_if_due(const Round& round);
  Status respond(const Chunk& chunk, std::span<const Change> changes,
                 std::span<const kernels::PackedMatrix> packed, std::size_t offset, const BlockRecord& record,
                 const WorkContext& work);
  Status embedding_responses(const WorkContext& work);
  Status square_block(const Chunk& chunk, std::size_t offset, const BlockRecord& record,
                      const WorkContext& work);
  Status square_output(const Chunk& chunk, const WorkContext& work);
  Status square_embedding(const Change& change, const ChangeReader& reader, const WorkContext& work);
  Status weigh_squares(std::span<const Change> changes, const WorkContext& work);
  void keep_fisher(const Change& change, double sum, std::size_t samples);
  void keep(const Change& change, const Chunk& chunk, const ChunkResponses& responses);
  Status finish(std::span<const Change> changes);
  [[nodiscard]] std::span<const Change> changes_of(int layer) const;
  // Progress: kinds of work, and what their pieces cost.
  enum Work : std::size_t { kBase, kHead, kChanges, kRecord, kBack, kRespond, kEmbedding, kKinds };
  [[nodiscard]] double head_cost(const Round& round, const Chunk& chunk) const;
  [[nodiscard]] double changes_cost(int layer) const;
  [[nodiscard]] double record_cost(const Round& round, const Chunk& chunk) const;
  [[nodiscard]] double back_cost(int layer, const Chunk& chunk) const;
  [[nodiscard]] double respond_cost(int layer, const Chunk& chunk) const;
  [[nodiscard]] double embedding_cost() const;
  void plan_progress(std::span<const Round> rounds);
  void advance(Work kind, double cost, const WorkContext& work);

  evaluate::Windows windows_;
  ResponseOptions options_;
  std::vector<Change> changes_;                                // by layer: embedding and output first
  std::vector<std::pair<std::size_t, std::size_t>> of_layer_;  // begin, end; [0] is outside the blocks
  ResponseMatrix matrix_;
  std::unique_ptr<BaseRun> base_;
  std::optional<run::Backward> backward_;
  std::optional<HeadGradient> head_;
  std::vector<Chunk> chunks_;
  std::vector<kernels::FloatBuffer> gradients_;  // by chunk
  run::BackwardWeights weights_;
  run::BlockGradients block_gradients_;
  kernels::FloatBuffer room_;
  std::vector<std::size_t> waiting_;  // by cell: changes still to come in this round
  std::size_t round_samples_ = 0;     // known after this round
  bool text_left_ = false;            // are the text's labels still to come?
  bool round_text_ = false, round_fisher_ = false;
  std::map<std::size_t, SquaredGradients> squares_;  // by tensor: of the block being crossed, or the output
  const ResponseCallback* on_update_ = nullptr;
  std::optional<Costs> costs_;
  Pace pace_{kKinds};
  std::size_t known_draws_ = 0;
  std::optional<StateFile> state_;
};

}  // namespace bitlens::sensitivity
