// The engine's side of the benchmark, called as the programs call it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/export/export.h"
#include "core/run/forward.h"
#include "kernels/formats/codec.h"
#include "tests/bench/executor/random_model.h"

namespace bitlens::bench {

/// Windows of 512 random tokens through all layers: weights read, decoded and packed once per call, logits
/// left out.
class OwnForward {
 public:
  [[nodiscard]] static Result<OwnForward> open(const std::string& path,
                                               kernels::Compute compute = kernels::Compute::Exact);
  /// Tokens per second.
  [[nodiscard]] Result<double> run(std::size_t windows, const WorkContext& work);
  [[nodiscard]] Shape shape() const;
  /// Format of the first block's attn_q.
  [[nodiscard]] std::string type() const;

 private:
  std::unique_ptr<run::WeightSource> source_;
  std::optional<run::Forward> forward_;
  run::LayerWeights weights_;
  run::LayerActivations activations_;
  kernels::FloatBuffer hidden_;
};

/// Statistics and histograms of every tensor: bytes of the file per second.
[[nodiscard]] Result<double> statistics_rate(const std::string& path, const WorkContext& work);

/// Every matrix to one format.
[[nodiscard]] Result<exporter::ExportResult> convert(const std::string& path, kernels::Format format,
                                                     kernels::Quantizer quantizer, const std::string& output,
                                                     const WorkContext& work);

/// Seconds to open a file: headers read, validated, roles known.
[[nodiscard]] Result<double> open_seconds(const std::string& path);

}  // namespace bitlens::bench
