#include "tests/bench/executor/random_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <vector>

#include "core/io/gguf_writer.h"
#include "kernels/formats/codec.h"
#include "tests/support/gguf_builder.h"

namespace bitlens::bench {

namespace {

using io::MetadataArray;
using kernels::Format;

/// Three control tokens, 256 bytes, then pieces of letters, short ones first, with and without a space mark.
void add_vocabulary(std::uint32_t count, io::Metadata& metadata) {
  std::vector<std::string> tokens{"<unk>", "<s>", "</s>"};
  std::vector<std::int32_t> types{2, 3, 3};
  for (int byte = 0; byte < 256; ++byte) {
    tokens.push_back(fmt::format("<0x{:02X}>", byte));
    types.push_back(6);
  }
  tokens.emplace_back("\xe2\x96\x81");
  std::vector<std::string> shorter{""};
  while (tokens.size() < count) {
    std::vector<std::string> longer;
    for (const std::string& stem : shorter)
      for (char letter = 'a'; letter <= 'z' && tokens.size() < count; ++letter) {
        longer.push_back(stem + letter);
        tokens.push_back(longer.back());
        if (tokens.size() < count) tokens.push_back("\xe2\x96\x81" + longer.back());
      }
    shorter = std::move(longer);
  }
  types.resize(count, 1);
  std::vector<float> scores(count);
  for (std::size_t i = 0; i < count; ++i) scores[i] = -static_cast<float>(i);
  metadata.set("tokenizer.ggml.model", std::string("llama"));
  metadata.set("tokenizer.ggml.tokens", MetadataArray(std::move(tokens)));
  metadata.set("tokenizer.ggml.scores", MetadataArray(std::move(scores)));
  metadata.set("tokenizer.ggml.token_type", MetadataArray(std::move(types)));
  metadata.set("tokenizer.ggml.bos_token_id", std::uint32_t{1});
  metadata.set("tokenizer.ggml.eos_token_id", std::uint32_t{2});
  metadata.set("tokenizer.ggml.unknown_token_id", std::uint32_t{0});
}

io::Metadata metadata_of(const Shape& shape) {
  io::Metadata metadata;
  metadata.set("general.architecture", std::string("llama"));
  metadata.set("general.name", "random " + shape.name);
  metadata.set("general.file_type", std::uint32_t{1});
  metadata.set("llama.block_count", shape.layers);
  metadata.set("llama.context_length", std::uint32_t{2048});
  metadata.set("llama.embedding_length", shape.width);
  metadata.set("llama.feed_forward_length", shape.ffn_width);
  metadata.set("llama.attention.head_count", shape.heads);
  metadata.set("llama.attention.head_count_kv", shape.kv_heads);
  metadata.set("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  metadata.set("llama.rope.dimension_count", shape.width / shape.heads);
  metadata.set("llama.rope.freq_base", 10000.0F);
  add_vocabulary(shape.vocabulary, metadata);
  return metadata;
}

std::vector<io::TensorPlan> tensors_of(const Shape& shape) {
  std::vector<io::TensorPlan> tensors;
  const auto matrix = [&](std::string name, std::uint64_t inputs, std::uint64_t outputs) {
    tensors.push_back({std::move(name), {inputs, outputs}, Format::F16});
  };
  const auto norm = [&](std::string name) {
    tensors.push_back({std::move(name), {shape.width}, Format::F32});
  };
  matrix("token_embd.weight", shape.width, shape.vocabulary);
  for (std::uint32_t layer = 0; layer < shape.layers; ++layer) {
    const std::string block = fmt::format("blk.{}.", layer);
    norm(block + "attn_norm.weight");
    matrix(block + "attn_q.weight", shape.width, shape.width);
    matrix(block + "attn_k.weight", shape.width, shape.kv_width());
    matrix(block + "attn_v.weight", shape.width, shape.kv_width());
    matrix(block + "attn_output.weight", shape.width, shape.width);
    norm(block + "ffn_norm.weight");
    matrix(block + "ffn_gate.weight", shape.width, shape.ffn_width);
    matrix(block + "ffn_up.weight", shape.width, shape.ffn_width);
    matrix(block + "ffn_down.weight", shape.ffn_width, shape.width);
  }
  norm("output_norm.weight");
  if (!shape.tied) matrix("output.weight", shape.width, shape.vocabulary);
  return tensors;
}

}  // namespace

Status write_random_model(const Shape& shape, const std::string& path) {
  const std::vector<io::TensorPlan> tensors = tensors_of(shape);
  auto writer = io::GgufWriter::create(path, metadata_of(shape), tensors, true);
  if (!writer) return pass(writer);

  constexpr std::size_t kDraws = std::size_t{1} << 16, kPiece = std::size_t{1} << 20;
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> drawn(kDraws);
  for (float& value : drawn) value = normal(random);
  std::vector<std::uint16_t> halves(kDraws), piece(kPiece);
  kernels::encode(Format::F16, kernels::Quantizer::Rtn, drawn.data(), nullptr,
                  reinterpret_cast<std::byte*>(halves.data()), kDraws);
  const std::vector<float> ones(shape.width, 1.0F);

  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].format == Format::F32) {
      if (auto s = (*writer)->write(i, std::as_bytes(std::span(ones))); !s) return s;
      continue;
    }
    for (std::uint64_t left = tensors[i].shape[0] * tensors[i].shape[1]; left > 0;) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece));
      for (std::size_t j = 0; j < count; j += 4) {
        const std::uint64_t bits = random();
        for (std::size_t k = 0; k < 4; ++k) piece[j + k] = halves[bits >> 16 * k & (kDraws - 1)];
      }
      if (auto s = (*writer)->write(i, std::as_bytes(std::span(piece).first(count))); !s) return s;
      left -= count;
    }
  }
  if (auto s = (*writer)->finish(); !s) return s;
  return (*writer)->publish();
}

Status write_sparse_model(const std::string& path) {
  const Shape shape{"7B", 32, 4096, 32, 32, 11008, 32000, false};
  const io::Metadata metadata = metadata_of(shape);
  const std::vector<io::TensorPlan> tensors = tensors_of(shape);
  const auto layout = io::plan_gguf(metadata, tensors);
  if (!layout) return pass(layout);
  test::GgufBuilder header;
  for (const io::MetadataEntry& entry : metadata.entries()) header.kv(entry.key, entry.value);
  for (std::size_t i = 0; i < tensors.size(); ++i)
    header.info(tensors[i].name, tensors[i].shape, static_cast<std::uint32_t>(tensors[i].format),
                layout->tensor_offsets[i] - layout->header_bytes);
  std::error_code error;
  if (test::write_bytes(path, header.bytes())) std::filesystem::resize_file(path, layout->file_bytes, error);
  if (error) return fail(ErrorCode::Io, error.message(), {path, {}, {}});
  return {};
}

std::string random_text(std::size_t bytes) {
  std::mt19937_64 random(2);
  std::string text;
  while (text.size() < bytes) {
    const std::size_t letters = 1 + random() % 9;
    for (std::size_t i = 0; i < letters; ++i) text += static_cast<char>('a' + random() % 26);
    text += ' ';
  }
  return text;
}

}  // namespace bitlens::bench
