// The report: what a model is, what a recipe makes of it, and what was measured, as one HDF5 file that h5py
// and xarray open. Schema, units and dimensions: docs/report.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/analyze/statistics.h"
#include "core/base/result.h"
#include "core/evaluate/perplexity.h"
#include "core/model/model.h"
#include "core/quantize/recipe.h"
#include "core/sensitivity/record.h"

namespace bitlens::report {

/// Where a measurement comes from. Empty or 0: unknown or not applicable.
struct Provenance {
  std::string model_path, model_sha256, text_name, text_sha256, tokenizer, bos, quantizer, program,
      instruction_set;
  std::string time;  ///< ISO 8601 UTC
  int threads = 0;
  std::uint64_t seed = 0;
  std::string imatrix = {}, imatrix_sha256 = {};  ///< importance matrix of the encoders
};

struct MeasurementRow {
  std::string name;         ///< of the recipe or the file
  std::string recipe_json;  ///< empty: the file as it is
  std::uint64_t file_bytes = 0;
  double bits_per_weight = 0;
  evaluate::Measurement measurement;
  Provenance provenance;
};

/// What one sweep over cells found. Empty or 0: unknown or not applicable.
struct SensitivitySweep {
  std::vector<sensitivity::CellRecord> cells;
  std::string grouping;  ///< "tensor", "fused", "module", "layer", "all"
  std::uint64_t positions = 0, context = 0, windows = 0;
  std::string protocol, activations;
  Provenance provenance;
};

/// Everything the report says. Vectors by tensor are in file order, or empty when nothing of the kind was
/// computed.
struct ReportInput {
  std::string model_path, model_sha256;
  std::uint64_t model_file_bytes = 0;
  model::Summary summary;
  std::vector<std::pair<std::string, std::string>> metadata;  ///< of the file: key and value as text
  std::vector<io::TensorInfo> tensors;
  std::vector<model::TensorRole> roles;

  std::optional<quantize::ResolvedRecipe> recipe;
  std::vector<std::optional<analyze::WeightStatistics>> weights;
  std::vector<std::optional<analyze::ActivationStatistics>> activations;
  std::string calibration_name, calibration_sha256;  ///< of the text the activations come from
  std::vector<MeasurementRow> measurements;
  std::vector<SensitivitySweep> sensitivities;

  std::string program, instruction_set;  ///< "bitlens 0.1.0", "AVX2"
  std::string time;                      ///< when the report was made, ISO 8601 UTC
  int threads = 0;
};

/// The part of the input that the model alone gives; `model_sha256` is left for the caller to fill.
[[nodiscard]] ReportInput describe_model(const model::Model& model);

/// Writes beside `path`, reads everything back and compares, then publishes. Deterministic but for the times
/// given. Exists if `path` exists and !overwrite; InvalidArgument if it is the model or vectors do not fit
/// each other; OutOfSpace, Io, Memory.
[[nodiscard]] Status write_hdf5(const ReportInput& input, const std::string& path, bool overwrite);

}  // namespace bitlens::report
