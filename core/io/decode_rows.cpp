// Rows of a tensor as floats: reads and decodes a piece at a time, so that the encoded bytes of a large
// tensor are never in memory as a whole.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/checked.h"
#include "core/io/model_file.h"
#include "kernels/formats/codec.h"

namespace bitlens::io {

Status decode_rows(const ModelFile& file, std::size_t tensor, std::uint64_t first_row, std::uint64_t rows,
                   float* target) {
  if (tensor >= file.tensors().size())
    return fail(ErrorCode::InvalidArgument, fmt::format("there is no tensor {}", tensor),
                {file.path(), {}, {}});
  const TensorInfo& info = file.tensors()[tensor];
  const kernels::FormatInfo& format = kernels::info(info.format);
  const Where where{file.shard_paths()[info.shard], info.name, {}};
  if (!format.decodes)
    return fail(ErrorCode::Unsupported, fmt::format("cannot decode tensors of type {}", format.name), where);
  const auto end_row = checked_add(first_row, rows);
  if (!end_row || *end_row > info.rows())
    return fail(ErrorCode::InvalidArgument,
                fmt::format("rows {} to {} + {} are outside the tensor's {}", first_row, first_row, rows,
                            info.rows()),
                where);

  // A row is a whole number of blocks, so rows that follow each other are just blocks that follow each other.
  constexpr std::uint64_t piece_bytes = std::uint64_t{1} << 20;
  const std::uint64_t piece_blocks = std::max<std::uint64_t>(1, piece_bytes / format.block_bytes);
  std::uint64_t blocks = rows * (info.row_length() / format.block_size);
  std::uint64_t begin = first_row * info.row_bytes();
  std::vector<std::byte> buffer(std::min(blocks, piece_blocks) * format.block_bytes);
  while (blocks > 0) {
    const std::uint64_t count = std::min(blocks, piece_blocks);
    const auto piece = std::span(buffer).first(count * format.block_bytes);
    if (auto s = file.read(tensor, begin, piece); !s) return s;
    const std::size_t weights = count * format.block_size;
    kernels::decode(info.format, piece.data(), target, weights);
    target += weights;
    begin += piece.size();
    blocks -= count;
  }
  return {};
}

}  // namespace bitlens::io
