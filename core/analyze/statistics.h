// Statistics and histograms of weights and of layer inputs. Definitions and units: docs/numbers.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/model/model.h"
#include "kernels/formats/codec.h"

namespace bitlens::analyze {

/// Fixed bins [edges[i], edges[i+1]); the last one includes its upper edge. Mergeable: same edges, counts
/// added.
struct Histogram {
  double low = 0, high = 0;  ///< of the first and last edge
  std::vector<std::uint64_t> counts;
  std::uint64_t below = 0, above = 0;  ///< finite values outside
  [[nodiscard]] double edge(std::size_t i) const {
    return low + (high - low) * static_cast<double>(i) / static_cast<double>(counts.size());
  }
};

/// Over all values x of a tensor (or of one layer input over a calibration text). Sums in double.
struct Statistics {
  std::uint64_t count = 0;  ///< finite values
  std::uint64_t non_finite = 0, zeros = 0;
  double min = 0, max = 0, mean = 0;
  double sigma = 0;  ///< population: sqrt(E[x^2] - mean^2), computed centred
  double rms = 0;    ///< sqrt(E[x^2])
  double abs_max = 0;
  double excess_kurtosis = 0;  ///< E[(x - mean)^4] / sigma^4 - 3; 0 when sigma is 0
  double median_abs = 0;       ///< median of non-zero |x|, exact (of activations: see ActivationStatistics)
  double dynamic_range = 0;    ///< abs_max / median_abs; 0 when every value is zero
  double zero_share = 0;       ///< zeros / count
  double outliers_6sigma = 0;  ///< share of |x - mean| > 6 sigma
};

/// Per channel: abs-max and population sigma.
struct ChannelStatistics {
  std::vector<float> input_abs_max, input_sigma;    ///< one per column (input channel)
  std::vector<float> output_abs_max, output_sigma;  ///< one per row (output channel); empty for activations
};

struct WeightStatistics {
  Statistics all;
  ChannelStatistics channels;
  Histogram histogram;      ///< linear, symmetric around 0: [-abs_max, abs_max]
  Histogram log_histogram;  ///< of log10 |x|, x != 0, fixed range [-12, 6]
};

/// The input of one linear layer over a calibration text, which passes by once. Moments, range, channels,
/// energies and the linear histogram are exact; the median, the log histogram and the 6 sigma share see each
/// value with the precision of bfloat16 (the middle of its step, at most 2^-8 of the value away).
struct ActivationStatistics {
  Statistics all;
  std::uint64_t tokens = 0;
  double outliers_llm_int8 = 0;  ///< share of input channels with any |x| >= 6.0
  ChannelStatistics channels;    ///< input side only
  std::vector<double> energy;    ///< E[x_j^2] per input channel: the weights of importance-aware rounding
  std::vector<double> mean;      ///< E[x_j]
  Histogram histogram;           ///< linear, [-2^k, 2^k] with the smallest power of two above abs_max
  Histogram log_histogram;       ///< as for weights
};

/// Number of bins of every histogram.
inline constexpr std::size_t kHistogramBins = 256;

/// Statistics of one tensor of the file as it is (decoded weights). Reads 16-bit tensors once, all others
/// twice; memory does not grow with the number of rows (but for 8 bytes a row). Reports no progress: callers
/// go tensor by tensor. Unsupported if the format cannot be decoded.
[[nodiscard]] Result<WeightStatistics> weight_statistics(const io::ModelFile& file, std::size_t tensor,
                                                         const WorkContext& work);
/// Of several tensors (indices into file.tensors()), in the order given; the bits are those of one at a time.
/// A thread takes whole tensors. Progress: tensors done. The error of the first in this order that failed.
[[nodiscard]] Result<std::vector<WeightStatistics>> weight_statistics(const io::ModelFile& file,
                                                                      std::span<const std::size_t> tensors,
                                                                      const WorkContext& work);
/// The same of values in memory, `columns` per row: for tests and for weights already decoded.
[[nodiscard]] WeightStatistics weight_statistics(std::span<const float> values, std::uint64_t columns,
                                                 const WorkContext& work);

/// Error of rounding a tensor: w against w' = decode(encode(w)).
struct RoundingError {
  double mse = 0;
  double relative_rmse = 0;  ///< sqrt(mse) / rms(w); 0 for an all-zero tensor
  double sqnr_db = 0;        ///< 10 log10(E[w^2] / mse); +infinity when exact
  double cosine = 1;
  double max_abs = 0;
  double energy_weighted_rmse =
      0;  ///< sqrt(sum_ij e_j (w - w')^2 / sum_ij e_j w^2); NaN without a calibration
};

/// Rounds a tensor as an export would and compares. `energy`: E[x_j^2] per column
/// (ActivationStatistics::energy), or empty; it weighs the error and does not steer the encoder. All zero
/// when the tensor is in `format` already. Errors of quantize::check_format and quantize::encode_values;
/// InvalidArgument if `energy` has another length.
[[nodiscard]] Result<RoundingError> rounding_error(const io::ModelFile& file, std::size_t tensor,
                                                   kernels::Format format, kernels::Quantizer quantizer,
                                                   std::span<const double> energy, const WorkContext& work);

/// Runs `windows` (equal length, evaluate::Windows::inputs) through the model as it is and collects the
/// statistics of every linear layer's input, by index of the weight tensor; nullopt for tensors that are no
/// linear layer. Layers that share an input (attn_q, attn_k, attn_v; ffn_gate, ffn_up) get the same numbers.
/// Progress as run::observe_inputs.
[[nodiscard]] Result<std::vector<std::optional<ActivationStatistics>>> activation_statistics(
    std::shared_ptr<const model::Model> model, std::span<const std::vector<std::int32_t>> windows,
    const WorkContext& work, std::uint64_t memory_budget = 1ULL << 30);

}  // namespace bitlens::analyze
