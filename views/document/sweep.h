// One sensitivity run of the studio, on the engine thread: predictions first, then the cheaper scores, then
// measured cells, each stage with its journal. Can be left at any moment and gone on with; what is known is
// told as snapshots.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "views/document/cell_table.h"

namespace bitlens::views {

struct SweepRequest {
  SessionPtr session;
  TokensPtr text;
  evaluate::Options options;  ///< context and windows already those of the plan
  quantize::Quantizer quantizer = quantize::Quantizer::Search;
  quantize::ImportancePtr importance;
  study::SweepPlan plan;
  sensitivity::Grouping grouping = sensitivity::Grouping::Tensor;  ///< other than Tensor: measured only
  std::vector<std::pair<std::string, kernels::Format>> decisions;  ///< cells the recipe hangs on
  std::vector<SweepPtr> known;  ///< earlier results: gone on with where they fit
  std::string journal_folder;   ///< made when needed; empty: no journals
};

struct SweepProgress {
  sensitivity::Method stage = sensitivity::Method::Response;
  std::size_t cells = 0, all_cells = 0;  ///< predicted, or measured to the end, of all that can be
  std::uint64_t samples = 0;             ///< behind the least known prediction
};

class Sweep {
 public:
  using Deliver = std::function<void(SensitivityPtr snapshot, SweepProgress progress)>;
  /// `others_wait`: does other work wait for the engine? Then go() ends at the next good moment.
  Sweep(SweepRequest request, Deliver deliver, std::function<bool()> others_wait);

  enum class End { Done, SteppedAside, Paused };
  [[nodiscard]] Result<End> go(const WorkContext& work);
  /// Only tells what the journals of an earlier run hold.
  [[nodiscard]] Status look(const WorkContext& work);
  /// From any thread: go() ends soon, losing next to nothing.
  void ask_pause(bool pause) { pause_ = pause; }

 private:
  [[nodiscard]] std::vector<sensitivity::Method> stages() const;
  [[nodiscard]] Status prepare(const WorkContext& work);
  [[nodiscard]] Status run_stage(sensitivity::Method method, const WorkContext& work);
  [[nodiscard]] Status run_scores(const WorkContext& work);
  [[nodiscard]] study::SensitivityRequest engine_request(sensitivity::Method method) const;
  [[nodiscard]] std::string journal_of(sensitivity::Method method) const;
  [[nodiscard]] const study::SensitivityResult* known_of(sensitivity::Method method) const;
  void begin(sensitivity::Method method);
  void take(std::span<const sensitivity::CellRecord> cells);
  void put(study::SensitivityResult result);
  [[nodiscard]] bool finished(const sensitivity::CellRecord& record) const;
  void tell(bool now);
  void prune_journals() const;

  SweepRequest request_;
  Deliver deliver_;
  std::function<bool()> others_wait_;
  std::atomic<bool> pause_ = false;

  bool prepared_ = false;
  std::size_t stage_ = 0, cells_ = 0;
  std::uint32_t windows_ = 0;
  std::map<sensitivity::Method, study::Provenance> provenance_;
  std::vector<SweepPtr> results_;
  study::SensitivityResult current_;                    // of the stage under way
  std::unordered_map<std::string, std::size_t> place_;  // of current_'s cells
  std::unique_ptr<study::SensitivityRun> run_;
  bool with_journal_ = true;
  std::chrono::steady_clock::time_point told_{};
};

/// Were two results found in the same way, so that cells of one stand beside cells of the other?
[[nodiscard]] bool same_source(const study::Provenance& a, const study::Provenance& b);

}  // namespace bitlens::views
