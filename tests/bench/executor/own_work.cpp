#include "tests/bench/executor/own_work.h"

#include <chrono>
#include <numeric>
#include <random>

#include "core/analyze/statistics.h"

namespace bitlens::bench {

namespace {

constexpr std::uint32_t kContext = 512;

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

Result<OwnForward> OwnForward::open(const std::string& path, kernels::Compute compute) {
  auto file = io::open_gguf(path);
  if (!file) return pass(file);
  auto model = model::make_model(*std::move(file));
  if (!model) return pass(model);
  OwnForward own;
  own.source_ = run::file_weights(*std::move(model));
  auto forward = run::Forward::create(*own.source_, kContext, false, compute);
  if (!forward) return pass(forward);
  own.forward_ = *std::move(forward);
  return own;
}

Result<double> OwnForward::run(std::size_t windows, const WorkContext& work) {
  std::mt19937 random(3);
  std::vector<std::vector<std::int32_t>> inputs(windows, std::vector<std::int32_t>(kContext));
  for (auto& window : inputs)
    for (auto& token : window)
      token = static_cast<std::int32_t>(random() % forward_->parameters().vocabulary);
  const std::size_t width = forward_->parameters().width;
  if (!hidden_.resize(windows * kContext * width)) return fail(ErrorCode::Memory, "no memory");
  const Stopwatch watch;
  if (auto s = forward_->embed(inputs, hidden_.data(), work); !s) return pass(s);
  const std::size_t batch = forward_->windows_per_batch(false);
  for (int layer = 0; layer < static_cast<int>(forward_->parameters().layers); ++layer) {
    if (auto s = forward_->load_layer(layer, weights_, work); !s) return pass(s);
    for (std::size_t first = 0; first < windows; first += batch)
      if (auto s = forward_->run_layer(weights_, hidden_.data() + first * kContext * width,
                                       std::min(batch, windows - first), activations_, work);
          !s)
        return pass(s);
  }
  return static_cast<double>(windows * kContext) / watch.seconds();
}

Shape OwnForward::shape() const {
  const model::LlamaParameters& p = forward_->parameters();
  Shape shape;
  shape.layers = p.layers;
  shape.width = p.width;
  shape.heads = p.heads;
  shape.kv_heads = p.kv_heads;
  shape.ffn_width = p.ffn_width;
  shape.vocabulary = p.vocabulary;
  return shape;
}

std::string OwnForward::type() const {
  const auto tensor = source_->model().block_tensor(0, model::Module::AttnQ);
  return tensor ? std::string(kernels::info(source_->format(*tensor)).name) : "?";
}

Result<double> statistics_rate(const std::string& path, const WorkContext& work) {
  const auto file = io::open_gguf(path);
  if (!file) return pass(file);
  std::vector<std::size_t> tensors((*file)->tensors().size());
  std::iota(tensors.begin(), tensors.end(), std::size_t{0});
  const Stopwatch watch;
  if (auto statistics = analyze::weight_statistics(**file, tensors, work); !statistics)
    return pass(statistics);
  return static_cast<double>((*file)->file_bytes()) / watch.seconds();
}

Result<exporter::ExportResult> convert(const std::string& path, kernels::Format format,
                                       kernels::Quantizer quantizer, const std::string& output,
                                       const WorkContext& work) {
  const auto file = io::open_gguf(path);
  if (!file) return pass(file);
  const auto resolved = quantize::resolve({"benchmark", {}, format}, **file, quantizer);
  if (!resolved) return pass(resolved);
  return exporter::export_gguf(**file, *resolved, {output, true, {}}, work);
}

Result<double> open_seconds(const std::string& path) {
  const Stopwatch watch;
  auto file = io::open_gguf(path);
  if (!file) return pass(file);
  auto model = model::make_model(*std::move(file));
  if (!model) return pass(model);
  return watch.seconds();
}

}  // namespace bitlens::bench
