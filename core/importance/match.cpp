// An importance matrix against the model it is to be used for: refused here rather than hours later.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <new>

#include "core/importance/imatrix.h"
#include "core/quantize/tensor_kind.h"

namespace bitlens::importance {

namespace {

bool is_block_matrix(const io::TensorInfo& tensor) {
  return tensor.name.starts_with("blk.") && !quantize::is_norm_or_vector(tensor) &&
         !quantize::is_integer(tensor.format);
}

/// Mean squares of an entry in the shape of its tensor.
Result<std::vector<float>> columns_of(const ImatrixEntry& entry, const io::TensorInfo& tensor,
                                      const std::string& path, std::vector<std::string>& warnings) {
  const std::uint64_t row = tensor.row_length();
  const std::uint64_t matrices =
      tensor.shape.size() > 2 ? tensor.elements() / row / std::max<std::uint64_t>(1, tensor.shape[1]) : 1;
  const std::uint64_t known = entry.sums.size() / row;
  // The .dat form does not say how many matrices its values are of.
  const bool same_columns = entry.columns == row || (entry.matrices() == 1 && entry.columns == row * known);
  if (!same_columns || (known != 1 && known != matrices))
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the importance matrix has {} x {} values for it, the tensor {} columns in {} "
                            "matri{}",
                            entry.columns, entry.matrices(), row, matrices, matrices == 1 ? "x" : "ces"),
                {path, entry.tensor, {}});
  std::vector<float> means(entry.sums.size());
  std::size_t unreached = 0;
  for (std::size_t m = 0; m < known; ++m) {
    const float count = entry.counts[entry.counts.size() == 1 ? 0 : m];
    unreached += count > 0 ? 0U : 1U;
    for (std::uint64_t j = 0; j < row; ++j)
      means[m * row + j] = count > 0 ? entry.sums[m * row + j] / count : 1.0F;
  }
  if (unreached > 0)
    warnings.push_back(
        fmt::format("{}: the calibration text reached {} of {} experts; the columns of the "
                    "others count the same",
                    printable(entry.tensor, 80), known - unreached, known));
  return means;
}

Result<quantize::ImportancePtr> match(const Imatrix& imatrix, const io::ModelFile& file) {
  const auto& tensors = file.tensors();
  auto out = std::make_shared<quantize::Importance>();
  out->columns.resize(tensors.size());
  out->file = std::filesystem::path(imatrix.path).filename().string();
  out->sha256 = imatrix.sha256;
  out->datasets = imatrix.datasets;
  out->entries = static_cast<std::uint32_t>(imatrix.entries.size());
  out->chunks = imatrix.chunk_count;
  out->warnings = imatrix.warnings;

  std::size_t named = 0;
  std::string stranger;
  for (const ImatrixEntry& entry : imatrix.entries) {
    const auto tensor = file.find_tensor(entry.tensor);
    if (!tensor || quantize::is_norm_or_vector(tensors[*tensor])) {
      if (stranger.empty()) stranger = entry.tensor;
      continue;
    }
    ++named;
    auto columns = columns_of(entry, tensors[*tensor], imatrix.path, out->warnings);
    if (!columns) return pass(columns);
    out->columns[*tensor] = std::move(*columns);
  }
  std::size_t wanted = 0, covered = 0;
  std::string missing;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (!is_block_matrix(tensors[t])) continue;
    ++wanted;
    if (out->covers(t))
      ++covered;
    else if (missing.empty())
      missing = tensors[t].name;
  }
  if (2 * named < imatrix.entries.size() || 2 * covered < wanted || named == 0)
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("the importance matrix is of another model: {} of its {} entries name a matrix of "
                    "this one, and {} of this one's {} block matrices have an entry",
                    named, imatrix.entries.size(), covered, wanted),
        {imatrix.path, {}, {}});
  if (covered < wanted)
    out->warnings.push_back(
        fmt::format("{} of {} block matrices have no entry in the importance matrix (first: "
                    "{}); their columns count the same",
                    wanted - covered, wanted, printable(missing, 80)));
  if (named < imatrix.entries.size())
    out->warnings.push_back(
        fmt::format("{} entries of the importance matrix name no matrix of this model "
                    "(first: {}) and are not used",
                    imatrix.entries.size() - named, printable(stranger, 80)));
  return quantize::ImportancePtr(std::move(out));
}

}  // namespace

Result<quantize::ImportancePtr> match_imatrix(const Imatrix& imatrix, const io::ModelFile& file) {
  try {
    return match(imatrix, file);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory for the importance matrix", {imatrix.path, {}, {}});
  }
}

}  // namespace bitlens::importance
