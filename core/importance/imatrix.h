// Importance matrices: the mean squared input of every column of a model's matrices over a calibration text.
// Two kinds of file hold them, both as llama.cpp's imatrix tool writes them: GGUF (general.type "imatrix",
// per matrix the tensors NAME.in_sum2 and NAME.counts) and the older .dat. Files come from strangers:
// everything is bounded by the bytes there are, and a file with a value that cannot be a mean square is
// refused, naming file, entry and offset, before any work is done with it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/model/model.h"
#include "core/quantize/importance.h"

namespace bitlens::importance {

/// What a file says of one tensor of the model: one matrix, or several (the experts of a mixture).
struct ImatrixEntry {
  std::string tensor;         ///< name of the weights
  std::uint64_t columns = 0;  ///< inputs of the matrix
  std::vector<float> sums;    ///< [matrices x columns] sums of squared inputs, finite, not negative
  std::vector<float> counts;  ///< [matrices] how many inputs were summed, finite; 0 only where there are more
  [[nodiscard]] std::uint64_t matrices() const { return counts.size(); }
};

struct Imatrix {
  std::vector<ImatrixEntry> entries;
  std::vector<std::string> datasets;  ///< the calibration texts
  std::uint32_t chunk_count = 0;      ///< windows of text; 0 if unknown
  std::uint32_t chunk_size = 0;       ///< tokens per window; 0 if unknown
  std::string path, sha256;           ///< of the file it was read from
  std::vector<std::string> warnings;
};

enum class ImatrixFormat { Gguf, Dat };
/// By the ending of a file's name: ".dat" is the older format, everything else GGUF.
[[nodiscard]] ImatrixFormat imatrix_format_of(const std::string& path);

/// Reads either kind; they are told apart by the first four bytes. BadFile with entry and byte offset for a
/// file that is cut, lies about its lengths, or holds NaN, infinity, negative sums, a count of zero or less,
/// an entry whose sums are all zero; Unsupported for a GGUF file that is something else.
[[nodiscard]] Result<Imatrix> read_imatrix(const std::string& path);

/// Writes atomically; entries in the order of their names. The older format keeps one count per entry and
/// scales the sums to it, as its readers expect.
[[nodiscard]] Status write_imatrix(const Imatrix& imatrix, const std::string& path, ImatrixFormat format,
                                   bool overwrite);

/// The mean squares by tensor of `file`. InvalidArgument for an entry whose length is not the tensor's row
/// length (or whose matrices are not as many), and for another model's file: fewer than half of the entries
/// name a matrix of this one, or fewer than half of its blocks' matrices have one. Entries that name no
/// tensor, and matrices without an entry, are warnings.
[[nodiscard]] Result<quantize::ImportancePtr> match_imatrix(const Imatrix& imatrix,
                                                            const io::ModelFile& file);

/// Sums the squared inputs of every linear layer over windows of text, at every position. With `output` also
/// those of the output matrix. The same bits at any thread count. Numeric, naming the layer, at NaN or
/// infinity.
[[nodiscard]] Result<Imatrix> collect_imatrix(std::shared_ptr<const model::Model> model,
                                              std::span<const std::vector<std::int32_t>> windows, bool output,
                                              std::uint64_t memory_budget, const WorkContext& work);

}  // namespace bitlens::importance
