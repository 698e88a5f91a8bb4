#include "core/analyze/input_accumulator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/analyze/distribution.h"
#include "core/analyze/value_tiles.h"

namespace bitlens::analyze {

namespace {

constexpr std::size_t kRowsPerTask = 128;
constexpr double kLlmInt8Limit =
    6.0;  // Dettmers et al. 2022, LLM.int8(): the threshold of an outlier feature
constexpr int kStepsExponent = std::countr_zero(kHistogramBins) - 1;  // bins / 2 = 2^this
static_assert(std::has_single_bit(kHistogramBins));

/// The middle of the values whose upper half is `pattern`; zero for pattern 0, where the zeros are.
float middle_of(std::size_t pattern) {
  const auto bits = static_cast<std::uint32_t>(pattern) << 16U;
  const std::uint32_t middle = pattern % kernels::kMagnitudes == 0 ? bits : bits | 0x8000U;
  float value = 0;
  std::memcpy(&value, &middle, sizeof value);
  return value;
}

/// Median of |x| over counted patterns, pattern 0 (zeros) left out.
double median_of(const std::vector<std::uint64_t>& counts) {
  const auto at = [&](std::size_t m) { return counts[m] + counts[m + kernels::kMagnitudes]; };
  std::uint64_t total = 0;
  for (std::size_t m = 1; m < kernels::kMagnitudes; ++m) total += at(m);
  if (total == 0) return 0;
  double sum = 0;
  for (const std::uint64_t rank : {(total - 1) / 2, total / 2}) {
    std::uint64_t before = 0;
    std::size_t m = 1;
    while (before + at(m) <= rank) before += at(m++);
    sum += static_cast<double>(middle_of(m));
  }
  return sum / 2.0;
}

}  // namespace

Status InputAccumulator::add(const float* values, std::size_t rows, InputScratch& scratch,
                             const WorkContext& work) {
  const std::size_t columns = columns_.columns();
  const std::size_t tasks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  const auto threads = static_cast<std::size_t>(work.pool.size());
  if (scratch.tasks.size() < tasks) scratch.tasks.resize(tasks);
  if (scratch.counts.size() < threads) scratch.counts.resize(threads);
  scratch.steps.resize(threads);
  for (auto& steps : scratch.steps) steps.assign(kHistogramBins, 0);
  for (std::size_t task = 0; task < tasks; ++task)
    scratch.tasks[task] = {kernels::Moments{}, kernels::ColumnStatistics(columns)};

  const auto rows_of = [&](std::size_t task) { return std::min(kRowsPerTask, rows - task * kRowsPerTask); };
  auto status = run_tasks(work, tasks, [&](std::size_t task, int worker) -> Status {
    const float* first = values + task * kRowsPerTask * columns;
    InputScratch::Task& part = scratch.tasks[task];
    for (std::size_t r = 0; r < rows_of(task); ++r)
      part.moments.merge(kernels::fourth_moments(first + r * columns, columns));
    part.columns.add_rows(first, rows_of(task), columns, 0);
    scratch.counts[static_cast<std::size_t>(worker)].add_upper_halves(first, rows_of(task) * columns);
    return {};
  });
  if (!status) return status;
  for (std::size_t task = 0; task < tasks; ++task) {
    moments_.merge(scratch.tasks[task].moments);
    columns_.merge(scratch.tasks[task].columns);
  }
  for (kernels::PatternCounts& counts : scratch.counts) counts_.absorb(counts);

  widen(moments_.abs_max());
  status = run_tasks(work, tasks, [&](std::size_t task, int worker) -> Status {
    kernels::count_in_steps(values + task * kRowsPerTask * columns, rows_of(task) * columns,
                            kStepsExponent - exponent_,
                            scratch.steps[static_cast<std::size_t>(worker)].data(), kHistogramBins);
    return {};
  });
  if (!status) return status;
  for (const auto& steps : scratch.steps)
    for (std::size_t i = 0; i < kHistogramBins; ++i) steps_[i] += steps[i];
  return {};
}

// Doubling the range makes one bin of two, exactly: no value lies on the outer edges, since abs_max <
// 2^exponent.
void InputAccumulator::widen(float abs_max) {
  int needed = 0;
  static_cast<void>(std::frexp(abs_max, &needed));  // abs_max = fraction in [0.5, 1) * 2^needed
  if (abs_max <= 0) return;
  for (; exponent_ < needed; ++exponent_) {
    std::vector<std::uint64_t> wider(kHistogramBins);
    for (std::size_t i = 0; i < kHistogramBins; ++i) wider[i / 2 + kHistogramBins / 4] += steps_[i];
    steps_ = std::move(wider);
  }
}

ActivationStatistics InputAccumulator::finish() {
  ActivationStatistics out;
  set_moments(out.all, moments_);
  const std::vector<std::uint64_t>& counts = counts_.totals();
  out.all.zeros = counts[0] + counts[kernels::kMagnitudes];
  out.all.median_abs = median_of(counts);
  Distribution distribution(out.all);
  for (std::size_t pattern = 0; pattern < kernels::kPatterns; ++pattern)
    if (counts[pattern] > 0) distribution.add(middle_of(pattern), counts[pattern]);
  distribution.store(out.all, out.histogram, out.log_histogram);
  set_ratios(out.all);
  const bool any = out.all.abs_max > 0;
  out.histogram.high = any ? std::ldexp(1.0, exponent_) : 1.0;
  out.histogram.low = -out.histogram.high;
  out.histogram.counts = steps_;
  out.histogram.below = out.histogram.above = 0;

  const std::size_t columns = columns_.columns();
  out.tokens = columns > 0 ? out.all.count / columns : 0;
  out.channels.input_abs_max = columns_.abs_max;
  out.channels.input_sigma.resize(columns);
  out.energy.resize(columns);
  out.mean = columns_.mean;
  std::size_t outliers = 0;
  for (std::size_t j = 0; j < columns; ++j) {
    const double variance = columns_.count[j] > 0 ? columns_.m2[j] / columns_.count[j] : 0.0;
    out.channels.input_sigma[j] = static_cast<float>(std::sqrt(variance));
    out.energy[j] = columns_.mean[j] * columns_.mean[j] + variance;
    if (static_cast<double>(columns_.abs_max[j]) >= kLlmInt8Limit) ++outliers;
  }
  out.outliers_llm_int8 = columns > 0 ? static_cast<double>(outliers) / static_cast<double>(columns) : 0.0;
  return out;
}

}  // namespace bitlens::analyze
