// Writes seeds for fuzz_gguf into a folder: one file per metadata type, array type and tensor format, and the
// odd ones. Synthetic seeds reach further than real models, which are too large to mutate well.
#include <cstdio>
#include <string>

#include "tests/support/gguf_builder.h"

using namespace bitlens;
using test::GgufBuilder;

int main(int count, char** arguments) {
  if (count != 2) return std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n"), 1;
  const std::string folder = arguments[1];
  bool written = true;
  int number = 0;
  const auto seed = [&](const GgufBuilder& file) {
    written = test::write_bytes(folder + "/seed" + std::to_string(number++), file.bytes()) && written;
  };
  seed(GgufBuilder());
  seed(test::sample_gguf());
  seed(test::sample_gguf().version(2));
  seed(GgufBuilder().alignment(64).f32("a", {1}, {1}).f32("b", {2, 2}, {1, 2, 3, 4}));
  seed(GgufBuilder().kv("split.no", std::uint16_t{0}).kv("split.count", std::uint16_t{1}).f32("a", {1}, {1}));
  seed(GgufBuilder().tensor("zero", {0, 3}, kernels::Format::F32, ""));
  seed(GgufBuilder().info("b", {1}, 0, 64).info("a", {1}, 0, 0).data(std::string(68, 'x')));
  seed(GgufBuilder().kv("k", "text").kv("b", true).kv("a", io::MetadataArray(io::BoolArray{{0, 1}})));
  seed(GgufBuilder().kv("k", io::MetadataArray(std::vector<std::string>{"a", "", "b"})));
  for (const kernels::FormatInfo& format : kernels::all_formats())
    seed(GgufBuilder().tensor("t", {format.block_size, 2}, format.format,
                              std::string(2 * format.block_bytes, '\x11')));
  return written ? 0 : 1;
}
