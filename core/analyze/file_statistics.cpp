// Statistics of many tensors: each thread takes whole tensors, the largest first, so that no thread waits for
// another between two of them.
#include <algorithm>
#include <atomic>
#include <numeric>

#include "core/analyze/statistics.h"

namespace bitlens::analyze {

Result<std::vector<WeightStatistics>> weight_statistics(const io::ModelFile& file,
                                                        std::span<const std::size_t> tensors,
                                                        const WorkContext& work) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto bytes = [&](std::size_t i) { return file.tensors()[tensors[i]].bytes; };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return bytes(a) > bytes(b); });

  std::vector<Result<WeightStatistics>> results(tensors.size());
  std::atomic<std::size_t> done = 0;
  const auto count_one = [&](int worker) {
    const std::size_t finished = ++done;
    if (worker == 0) work.report("statistics", finished, tensors.size());  // the thread that called
  };
  work.report("statistics", 0, tensors.size());

  // A tensor that alone would keep one thread busy for long is shared by all of them.
  const auto threads = static_cast<std::uint64_t>(work.pool.size());
  std::uint64_t left = 0;
  for (const std::size_t i : order) left += bytes(i);
  std::size_t next = 0;
  for (; next < order.size() && bytes(order[next]) > left / (4 * threads); ++next) {
    left -= bytes(order[next]);
    results[order[next]] = weight_statistics(file, tensors[order[next]], work);
    if (!results[order[next]]) return pass(results[order[next]]);
    count_one(0);
  }
  work.pool.run(order.size() - next, [&](std::size_t task, int worker) {
    const std::size_t i = order[next + task];
    ThreadPool alone(1);
    results[i] = weight_statistics(file, tensors[i], WorkContext{alone, work.stop, {}});
    count_one(worker);
  });

  std::vector<WeightStatistics> out;
  out.reserve(results.size());
  for (Result<WeightStatistics>& result : results) {
    if (!result) return pass(result);
    out.push_back(std::move(*result));
  }
  return out;
}

}  // namespace bitlens::analyze
