#include "tests/bench/executor/machine_limit.h"

#include <chrono>
#include <cstring>
#include <dnnl.hpp>
#include <random>

extern "C" void omp_set_num_threads(int);

namespace bitlens::bench {

namespace {

constexpr dnnl::memory::dim kRows = 512;

dnnl::memory::data_type source_type(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::Bf16:
      return dnnl::memory::data_type::bf16;
    case Arithmetic::Int8:
      return dnnl::memory::data_type::u8;
    default:
      return dnnl::memory::data_type::f32;
  }
}

dnnl::engine& engine() {
  static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

/// Small numbers in any type, so that nothing is denormal or overflows.
void fill(dnnl::memory& memory) {
  auto* bytes = static_cast<unsigned char*>(memory.get_data_handle());
  const std::size_t size = memory.get_desc().get_size();
  std::minstd_rand random(1);
  if (memory.get_desc().data_type() == dnnl::memory::data_type::f32) {
    for (std::size_t i = 0; i + 4 <= size; i += 4) {
      const float value = static_cast<float>(random() % 2000) * 1e-3F - 1.0F;
      std::memcpy(bytes + i, &value, 4);
    }
  } else {
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(random() % 60);
  }
}

}  // namespace

const char* arithmetic_name(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::F32 ? "f32" : arithmetic == Arithmetic::Bf16 ? "bf16" : "u8 x s8";
}

struct MachineLimit::Product {
  dnnl::memory x, weights, y;
  dnnl::matmul matmul;
  std::string implementation;
};

MachineLimit::MachineLimit(const Shape& shape, Arithmetic arithmetic, int threads)
    : shape_(shape), threads_(threads) {
  using dnnl::memory;
  omp_set_num_threads(threads);
  const std::uint32_t shapes[][2] = {{shape.width, shape.width},      {shape.width, shape.kv_width()},
                                     {shape.width, shape.kv_width()}, {shape.width, shape.width},
                                     {shape.width, shape.ffn_width},  {shape.width, shape.ffn_width},
                                     {shape.ffn_width, shape.width}};
  const bool integers = arithmetic == Arithmetic::Int8;
  const memory::data_type type = source_type(arithmetic);
  try {
    for (const auto& [inputs, outputs] : shapes) {
      const memory::dim k = inputs, n = outputs;
      const memory::desc x({kRows, k}, type, memory::format_tag::ab);
      const memory::desc w({k, n}, integers ? memory::data_type::s8 : type, memory::format_tag::any);
      const memory::desc y({kRows, n}, integers ? memory::data_type::s32 : memory::data_type::f32,
                           memory::format_tag::ab);
      const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(x, w, y), engine());
      products_.push_back({memory(x, engine()), memory(description.weights_desc(), engine()),
                           memory(y, engine()), dnnl::matmul(description), description.impl_info_str()});
      fill(products_.back().x);
      fill(products_.back().weights);
    }
  } catch (const dnnl::error&) {
    products_.clear();
  }
}

MachineLimit::~MachineLimit() = default;

std::string MachineLimit::implementation() const {
  return products_.empty() ? std::string() : products_.front().implementation;
}

std::optional<double> MachineLimit::tokens_per_second() {
  if (products_.empty()) return std::nullopt;
  omp_set_num_threads(threads_);
  dnnl::stream stream(engine());
  constexpr int kRounds = 4;
  double seconds = 0;
  for (int round = 0; round <= kRounds; ++round) {  // the first one warms up
    const auto start = std::chrono::steady_clock::now();
    for (Product& p : products_)
      p.matmul.execute(stream, {{DNNL_ARG_SRC, p.x}, {DNNL_ARG_WEIGHTS, p.weights}, {DNNL_ARG_DST, p.y}});
    stream.wait();
    if (round > 0)
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / kRounds;
  }
  return static_cast<double>(kRows) / (seconds * shape_.layers);
}

}  // namespace bitlens::bench
