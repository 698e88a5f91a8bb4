// Error of rounding a tensor to a format: encoded and decoded tile by tile, compared in double.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "core/analyze/statistics.h"
#include "core/analyze/value_tiles.h"
#include "core/quantize/encode_rows.h"
#include "core/quantize/recipe.h"

namespace bitlens::analyze {

namespace {

/// Sums over w and w' = decode(encode(w)), and e, the energy of the column.
struct Sums {
  double error = 0;          ///< (w - w')^2
  double weight = 0;         ///< w^2
  double rounded = 0;        ///< w'^2
  double product = 0;        ///< w w'
  double energy_error = 0;   ///< e (w - w')^2
  double energy_weight = 0;  ///< e w^2
  double max_abs = 0;        ///< max |w - w'|

  void add(const Sums& other) {
    error += other.error;
    weight += other.weight;
    rounded += other.rounded;
    product += other.product;
    energy_error += other.energy_error;
    energy_weight += other.energy_weight;
    max_abs = std::max(max_abs, other.max_abs);
  }
};

Sums compare(std::span<const float> weights, std::span<const float> rounded, std::span<const double> energy,
             std::size_t columns) {
  Sums sums;
  for (std::size_t begin = 0; begin < weights.size(); begin += columns) {
    Sums row;
    for (std::size_t j = 0; j < columns; ++j) {
      const auto w = static_cast<double>(weights[begin + j]);
      const auto v = static_cast<double>(rounded[begin + j]);
      const double d = w - v;
      row.error += d * d;
      row.weight += w * w;
      row.rounded += v * v;
      row.product += w * v;
      row.max_abs = std::max(row.max_abs, std::fabs(d));
      if (!energy.empty()) {
        row.energy_error += energy[j] * d * d;
        row.energy_weight += energy[j] * w * w;
      }
    }
    sums.add(row);
  }
  return sums;
}

RoundingError error_of(const Sums& sums, std::uint64_t elements, bool has_energy) {
  RoundingError out;
  const auto ratio = [](double a, double b) { return b > 0 ? std::sqrt(a / b) : 0.0; };
  out.mse = sums.error / static_cast<double>(elements);
  out.relative_rmse = ratio(sums.error, sums.weight);
  out.sqnr_db =
      sums.error > 0 ? 10.0 * std::log10(sums.weight / sums.error) : std::numeric_limits<double>::infinity();
  const double lengths = std::sqrt(sums.weight) * std::sqrt(sums.rounded);
  out.cosine = lengths > 0 ? sums.product / lengths : (sums.error > 0 ? 0.0 : 1.0);
  if (sums.error == 0) out.cosine = 1.0;
  out.max_abs = sums.max_abs;
  out.energy_weighted_rmse =
      has_energy ? ratio(sums.energy_error, sums.energy_weight) : std::numeric_limits<double>::quiet_NaN();
  return out;
}

struct Worker {
  std::vector<float> decoded, rounded;
  std::vector<std::byte> stored, encoded;
};

}  // namespace

Result<RoundingError> rounding_error(const io::ModelFile& file, std::size_t tensor, kernels::Format format,
                                     kernels::Quantizer quantizer, std::span<const double> energy,
                                     const WorkContext& work) {
  const io::TensorInfo& info = file.tensors()[tensor];
  const Where where{file.path(), info.name, {}};
  if (!energy.empty() && energy.size() != info.row_length())
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} input energies for rows of {} weights", energy.size(), info.row_length()),
                where);
  if (format == info.format) return error_of(Sums{}, 1, !energy.empty());  // bytes are copied
  if (const auto fits = quantize::check_format(info, format); !fits)
    return fail(fits.error().code, fits.error().message, where);
  if (!kernels::info(info.format).decodes)
    return fail(ErrorCode::Unsupported,
                fmt::format("{} cannot be decoded by this program", kernels::info(info.format).name), where);
  try {
    const ValueSource source(file, tensor);
    const TilePlan plan(info.rows(), info.row_length());
    const kernels::FormatInfo& target = kernels::info(format);
    std::vector<Worker> workers(static_cast<std::size_t>(work.pool.size()));
    std::vector<Sums> partials(plan.tasks);
    const auto status = run_tasks(work, plan.tasks, [&](std::size_t task, int worker_index) {
      Worker& worker = workers[static_cast<std::size_t>(worker_index)];
      worker.decoded.resize(TilePlan::kTileValues);
      worker.rounded.resize(TilePlan::kTileValues);
      worker.stored.resize(source.tile_bytes());
      worker.encoded.resize(TilePlan::kTileValues / target.block_size * target.block_bytes);
      return for_each_tile(plan, task, [&](const Tile& tile) -> Status {
        if (work.stopped()) return WorkContext::cancelled();
        const auto values = source.load(tile, worker.decoded, worker.stored);
        if (!values) return pass(values);
        if (auto encoded = quantize::encode_values(format, quantizer, *values, nullptr, worker.encoded.data(),
                                                   {file.path(), info.name, tile.first_element});
            !encoded)
          return encoded;
        kernels::decode(format, worker.encoded.data(), worker.rounded.data(), tile.size());
        const auto part = energy.empty() ? energy : energy.subspan(tile.first_column, tile.columns);
        partials[task].add(
            compare(*values, std::span(worker.rounded).first(tile.size()), part, tile.columns));
        return {};
      });
    });
    if (!status) return pass(status);
    Sums total;
    for (const Sums& partial : partials) total.add(partial);
    return error_of(total, info.elements(), !energy.empty());
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory for its rounding error", where);
  }
}

}  // namespace bitlens::analyze
