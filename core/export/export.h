// Exporting a model to GGUF by a recipe: streamed tensor by tensor, verified by reopening, published
// atomically. The same input gives the same bytes every time, at any thread count.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/io/model_file.h"
#include "core/quantize/recipe.h"

namespace bitlens::exporter {

struct ExportOptions {
  std::string path;
  bool overwrite = false;  ///< replace an existing file (never an input)
  std::vector<std::string>
      inputs;  ///< other files the caller reads (recipe, texts, a base model): refused as output
};

struct ExportResult {
  std::string path;
  std::uint64_t file_bytes = 0;
  double seconds = 0;         ///< wall clock of the whole export
  double encode_seconds = 0;  ///< of it reading, encoding and writing; no syncing, no verification
  std::string sha256;         ///< of the written file, lower-case hex
  std::vector<std::string> warnings;
};

/// Everything that can be known to be wrong before work: the output is an input (same file, link or hard
/// link), exists and may not be overwritten, is no regular file. Exists or InvalidArgument, naming the
/// output.
[[nodiscard]] Status check_output(const io::ModelFile& source, const ExportOptions& options);

/// `resolved` must come from quantize::resolve() on `source`. Unchanged tensors are copied byte by byte.
/// Memory is bounded whatever the size of a tensor. Progress "encode", then "verify", in bytes of the output.
/// Exists, OutOfSpace (needed and free bytes) before any work; Numeric, naming tensor and element, for NaN,
/// infinity and values a format cannot hold; Changed if the source changes meanwhile. Nothing is left behind
/// on failure or when cancelled, and an existing file stays as it was.
[[nodiscard]] Result<ExportResult> export_gguf(const io::ModelFile& source,
                                               const quantize::ResolvedRecipe& resolved,
                                               const ExportOptions& options, const WorkContext& work);

}  // namespace bitlens::exporter
