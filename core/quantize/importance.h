// How much each column of a model's matrices matters to what comes out of them: the mean squared input
// E[x_j^2] over a calibration text. Encoders minimize sum E[x_j^2] * (w_j - w'_j)^2 with it. The value here
// is already matched to one model file and checked (core/importance reads and makes the files).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/io/model_file.h"

namespace bitlens::quantize {

struct Importance {
  /// By tensor of the model file: row_length values for each of its matrices (one, or as many as shape[2] *
  /// shape[3]), finite and not negative; empty where nothing is known. Only ratios within a matrix count.
  std::vector<std::vector<float>> columns;

  std::string file;                   ///< name of the file it was read from, without folders
  std::string sha256;                 ///< of that file
  std::vector<std::string> datasets;  ///< names of the calibration texts
  std::uint32_t entries = 0;          ///< in the file
  std::uint32_t chunks = 0;           ///< of text it was computed from; 0 if the file does not say
  std::vector<std::string> warnings;  ///< matrices without an entry, ...

  [[nodiscard]] bool covers(std::size_t tensor) const { return !columns[tensor].empty(); }
  /// The weights of elements [first, first + target.size()) of a covered tensor.
  void fill(std::size_t tensor, const io::TensorInfo& info, std::uint64_t first,
            std::span<float> target) const;
};

/// Null: every column counts the same.
using ImportancePtr = std::shared_ptr<const Importance>;

}  // namespace bitlens::quantize
