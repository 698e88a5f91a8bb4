// Statistics of a weight tensor.
//
// 16-bit formats: one pass counts the 65536 codes; the statistics of the counted values are those of the
// tensor. Other formats: pass 1 takes the moments and counts the upper halves of the f32 patterns. That
// places almost every value in its histogram bin; pass 2 looks again only at values whose upper half leaves a
// question open (a bin edge, the 6 sigma limit or the median inside its range), so that everything is exact
// all the same. Channel statistics come from pass 1 in both cases.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "core/analyze/distribution.h"
#include "core/analyze/statistics.h"
#include "core/analyze/value_tiles.h"
#include "kernels/formats/codec.h"
#include "kernels/stats/columns.h"
#include "kernels/stats/counts.h"
#include "kernels/stats/f16_rows.h"

namespace bitlens::analyze {

namespace {

using kernels::kMagnitudes;
using kernels::kPatterns;

std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
float value_of(std::uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// One thread's buffers.
struct Worker {
  std::vector<float> decoded, finite;
  std::vector<std::byte> stored;
  std::vector<kernels::Moments> rows;  // of a tile
  kernels::PatternCounts counts;
};

/// What one task leaves behind.
struct Partial {
  kernels::Moments moments;
  kernels::ColumnStatistics columns;
};

/// Where the two middle ranks of the non-zero magnitudes lie among counted patterns.
struct Middle {
  std::size_t pattern[2] = {0, 0};
  std::uint64_t rank[2] = {0, 0};  ///< within the pattern, from 0
};
/// `zeros` values of pattern 0 are left out. No value at all: nullopt.
std::optional<Middle> find_middle(const std::vector<std::uint64_t>& counts, std::uint64_t zeros,
                                  std::size_t end_of_finite) {
  const auto magnitude_count = [&](std::size_t m) {
    return counts[m] + counts[m + kMagnitudes] - (m == 0 ? zeros : 0);
  };
  std::uint64_t total = 0;
  for (std::size_t m = 0; m < end_of_finite; ++m) total += magnitude_count(m);
  if (total == 0) return std::nullopt;
  Middle middle;
  const std::uint64_t ranks[2] = {(total - 1) / 2, total / 2};
  for (int side = 0; side < 2; ++side) {
    std::uint64_t before = 0;
    std::size_t m = 0;
    while (before + magnitude_count(m) <= ranks[side]) before += magnitude_count(m++);
    middle.pattern[side] = m;
    middle.rank[side] = ranks[side] - before;
  }
  return middle;
}

class Collector {
 public:
  Collector(const ValueSource& source, std::uint64_t rows, std::uint64_t columns, const WorkContext& work)
      : source_(source),
        plan_(rows, columns),
        work_(work),
        is_16_bit_(source.format() == kernels::Format::F16 || source.format() == kernels::Format::BF16) {}

  Result<WeightStatistics> run() {
    if (plan_.tasks == 0) return WeightStatistics{};
    allocate();
    if (auto status = run_tasks(work_, plan_.tasks,
                                [this](std::size_t task, int worker) { return first_pass(task, worker); });
        !status)
      return pass(status);
    for (const auto& worker : workers_)
      if (worker) counts_.absorb(worker->counts);
    store_columns();
    if (is_16_bit_)
      from_codes();
    else if (auto status = second_pass(); !status)
      return pass(status);
    set_ratios(out_.all);
    return std::move(out_);
  }

 private:
  void allocate() {
    out_.channels.output_abs_max.resize(plan_.rows);
    out_.channels.output_sigma.resize(plan_.rows);
    workers_.resize(static_cast<std::size_t>(work_.pool.size()));
    partials_.resize(plan_.tasks);
    for (Partial& partial : partials_) partial.columns = kernels::ColumnStatistics(plan_.columns);
  }

  /// A thread's buffers, made when it first gets something to do.
  Worker& worker_of(int index) {
    std::unique_ptr<Worker>& worker = workers_[static_cast<std::size_t>(index)];
    if (!worker) {
      worker = std::make_unique<Worker>();
      worker->decoded.resize(TilePlan::kTileValues);
      worker->finite.resize(TilePlan::kTileValues);
      worker->stored.resize(source_.tile_bytes());
    }
    return *worker;
  }

  Status first_pass(std::size_t task, int worker_index) {
    Worker& worker = worker_of(worker_index);
    Partial& partial = partials_[task];
    kernels::Moments row;  // of a row that takes several tiles
    return for_each_tile(plan_, task, [&](const Tile& tile) -> Status {
      if (work_.stopped()) return WorkContext::cancelled();
      worker.rows.resize(tile.rows);
      const auto taken = take_codes(tile, worker, partial);
      if (!taken) return pass(taken);
      if (!*taken)
        if (auto status = take_values(tile, worker, partial); !status) return status;
      for (std::size_t r = 0; r < tile.rows; ++r) {
        if (tile.first_column == 0) row = {};
        row.merge(worker.rows[r]);
        if (tile.first_column + tile.columns < plan_.columns) continue;
        store_row(tile.first_row + r, row);
        if (!is_16_bit_) partial.moments.merge(row);
      }
      return {};
    });
  }

  /// A tile of finite F16 values, without decoding it. False: it is none.
  Result<bool> take_codes(const Tile& tile, Worker& worker, Partial& partial) const {
    if (source_.format() != kernels::Format::F16 || !source_.is_stored()) return false;
    if (auto status = source_.load_stored(tile, worker.stored); !status) return pass(status);
    if (!kernels::add_f16_rows(worker.stored.data(), tile.rows, tile.columns, partial.columns,
                               tile.first_column, worker.rows.data()))
      return false;
    worker.counts.add_codes(worker.stored.data(), tile.size());
    return true;
  }

  Status take_values(const Tile& tile, Worker& worker, Partial& partial) const {
    const auto loaded = source_.load(tile, worker.decoded, worker.stored);
    if (!loaded) return pass(loaded);
    const float* values = loaded->data();
    if (is_16_bit_)
      worker.counts.add_codes(worker.stored.data(), tile.size());
    else
      worker.counts.add_upper_halves(values, tile.size());
    const bool finite = kernels::find_non_finite(values, tile.size()) == tile.size();
    if (finite)
      partial.columns.add_rows(values, tile.rows, tile.columns, tile.first_column);
    else
      partial.columns.add_rows_with_non_finite(values, tile.rows, tile.columns, tile.first_column);
    for (std::size_t r = 0; r < tile.rows; ++r)
      worker.rows[r] = row_moments(values + r * tile.columns, tile.columns, finite, worker);
    return {};
  }

  kernels::Moments row_moments(const float* values, std::size_t count, bool finite, Worker& worker) const {
    if (!finite) {
      const auto end = std::copy_if(values, values + count, worker.finite.begin(),
                                    [](float x) { return std::isfinite(x); });
      values = worker.finite.data();
      count = static_cast<std::size_t>(end - worker.finite.begin());
    }
    return is_16_bit_ ? kernels::second_moments(values, count) : kernels::fourth_moments(values, count);
  }

  void store_row(std::size_t row, const kernels::Moments& moments) {
    out_.channels.output_abs_max[row] = moments.abs_max();
    const bool constant = !(moments.min < moments.max);
    out_.channels.output_sigma[row] =
        constant ? 0.0F : static_cast<float>(std::sqrt(moments.m2 / moments.count));
  }

  void store_columns() {
    kernels::ColumnStatistics& all = partials_[0].columns;
    for (std::size_t task = 1; task < partials_.size(); ++task) all.merge(partials_[task].columns);
    out_.channels.input_abs_max = all.abs_max;
    out_.channels.input_sigma.resize(all.columns());
    for (std::size_t c = 0; c < all.columns(); ++c)
      out_.channels.input_sigma[c] =
          all.count[c] > 0 ? static_cast<float>(std::sqrt(all.m2[c] / all.count[c])) : 0.0F;
  }

  void from_codes() {
    const std::vector<std::uint64_t>& counts = counts_.totals();
    const std::vector<ValueCount> values = values_of_codes(source_.format(), counts);
    set_moments(out_.all, moments_of(values));
    out_.all.zeros = counts[0] + counts[kMagnitudes];
    out_.all.non_finite = elements() - out_.all.count;
    const std::size_t infinity = source_.format() == kernels::Format::F16 ? 0x7C00U : 0x7F80U;
    if (const auto middle = find_middle(counts, out_.all.zeros, infinity)) {
      const std::uint16_t codes[2] = {static_cast<std::uint16_t>(middle->pattern[0]),
                                      static_cast<std::uint16_t>(middle->pattern[1])};
      float pair[2];
      kernels::decode(source_.format(), reinterpret_cast<const std::byte*>(codes), pair, 2);
      set_median(pair[0], pair[1]);
    }
    Distribution distribution(out_.all);
    for (const auto& [value, count] : values) distribution.add(value, count);
    distribution.store(out_.all, out_.histogram, out_.log_histogram);
  }

  /// What pass 2 looks for, and what one thread found.
  struct Search {
    Distribution distribution;
    std::uint64_t zeros = 0;
    std::vector<std::uint64_t> lower[2];  ///< of the magnitudes whose upper half is middle.pattern[side]
  };

  Status second_pass() {
    kernels::Moments moments;
    for (const Partial& partial : partials_) moments.merge(partial.moments);
    set_moments(out_.all, moments);
    out_.all.non_finite = elements() - out_.all.count;
    const std::vector<std::uint64_t>& counts = counts_.totals();

    // Pattern 0 holds the zeros and the smallest subnormals (below 1e-40), told apart only by looking again.
    // Zeros are expected to be all of it; where that was wrong the middle has moved, and the search runs once
    // more.
    out_.all.zeros = counts[0] + counts[kMagnitudes];
    for (;;) {
      const std::uint64_t zeros_expected = out_.all.zeros;
      middle_ = find_middle(counts, zeros_expected, kFirstNonFinite);
      auto found = search(counts);
      if (!found) return pass(found);
      out_.all.zeros = found->zeros;
      if (found->zeros != zeros_expected) continue;
      if (middle_) set_median(middle_value(*found, 0), middle_value(*found, 1));
      found->distribution.store(out_.all, out_.histogram, out_.log_histogram);
      return {};
    }
  }

  [[nodiscard]] Search empty_search() const {
    Search search{Distribution(out_.all), 0, {}};
    for (auto& lower : search.lower) lower.resize(kPatterns);
    return search;
  }

  /// Looks again at every value whose upper half does not settle where it belongs.
  Result<Search> search(const std::vector<std::uint64_t>& counts) {
    Search total = empty_search();
    std::vector<std::uint8_t> open(kPatterns, 0);
    for (std::size_t pattern = 0; pattern < kPatterns; ++pattern) {
      const std::size_t magnitude = pattern % kMagnitudes;
      if (counts[pattern] == 0 || magnitude >= kFirstNonFinite) continue;
      const auto upper = static_cast<std::uint32_t>(pattern) << 16U;
      const bool median = middle_ && (magnitude == middle_->pattern[0] || magnitude == middle_->pattern[1]);
      open[pattern] = median || !total.distribution.same(value_of(upper), value_of(upper | 0xFFFFU)) ? 1 : 0;
      if (open[pattern] == 0) total.distribution.add(value_of(upper), counts[pattern]);
    }
    std::vector<std::optional<Search>> found(workers_.size());
    auto status = run_tasks(work_, plan_.tasks, [&](std::size_t task, int worker_index) {
      Worker& worker = worker_of(worker_index);
      std::optional<Search>& part = found[static_cast<std::size_t>(worker_index)];
      if (!part) part = empty_search();
      return for_each_tile(plan_, task, [&](const Tile& tile) -> Status {
        if (work_.stopped()) return WorkContext::cancelled();
        const auto loaded = source_.load(tile, worker.decoded, worker.stored);
        if (!loaded) return pass(loaded);
        for (const float value : *loaded)
          if (open[bits_of(value) >> 16U] != 0) settle(value, *part);
        return {};
      });
    });
    if (!status) return pass(status);
    for (const std::optional<Search>& part : found) {
      if (!part) continue;
      total.distribution.merge(part->distribution);
      total.zeros += part->zeros;
      for (int side = 0; side < 2; ++side)
        for (std::size_t i = 0; i < kPatterns; ++i) total.lower[side][i] += part->lower[side][i];
    }
    return total;
  }

  void settle(float value, Search& part) const {
    part.distribution.add(value, 1);
    const std::uint32_t magnitude = bits_of(value) & 0x7FFFFFFFU;
    if (magnitude == 0) {
      ++part.zeros;
      return;
    }
    for (int side = 0; side < 2; ++side)
      if (middle_ && magnitude >> 16U == middle_->pattern[side]) ++part.lower[side][magnitude & 0xFFFFU];
  }

  [[nodiscard]] float middle_value(const Search& found, int side) const {
    std::uint64_t before = 0;
    std::uint32_t lower = 0;
    while (before + found.lower[side][lower] <= middle_->rank[side]) before += found.lower[side][lower++];
    return value_of((static_cast<std::uint32_t>(middle_->pattern[side]) << 16U) | lower);
  }

  void set_median(float a, float b) {
    out_.all.median_abs = (static_cast<double>(a) + static_cast<double>(b)) / 2.0;
  }
  [[nodiscard]] std::uint64_t elements() const { return plan_.rows * plan_.columns; }

  static constexpr std::size_t kFirstNonFinite = 0x7F80;  // upper half of infinity

  const ValueSource& source_;
  TilePlan plan_;
  const WorkContext& work_;
  bool is_16_bit_;
  std::vector<std::unique_ptr<Worker>> workers_;  // one per thread, as far as used
  kernels::PatternCounts counts_;
  std::vector<Partial> partials_;
  std::optional<Middle> middle_;
  WeightStatistics out_;
};

}  // namespace

Result<WeightStatistics> weight_statistics(const io::ModelFile& file, std::size_t tensor,
                                           const WorkContext& work) {
  const io::TensorInfo& info = file.tensors()[tensor];
  const Where where{file.path(), info.name, {}};
  const kernels::FormatInfo& format = kernels::info(info.format);
  if (!format.decodes)
    return fail(ErrorCode::Unsupported, fmt::format("{} cannot be decoded by this program", format.name),
                where);
  try {
    const ValueSource source(file, tensor);
    return Collector(source, info.rows(), info.row_length(), work).run();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory for its statistics", where);
  }
}

WeightStatistics weight_statistics(std::span<const float> values, std::uint64_t columns,
                                   const WorkContext& work) {
  const ValueSource source(values);
  auto out = Collector(source, columns > 0 ? values.size() / columns : 0, columns, work).run();
  return out ? std::move(*out) : WeightStatistics{};
}

}  // namespace bitlens::analyze
