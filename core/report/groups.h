// The groups of a report, one function each. Schema: docs/report.md.
#pragma once

#include "core/report/hdf5_file.h"
#include "core/report/report.h"

namespace bitlens::report {

void write_root(Hdf5File& file, const ReportInput& input);
void write_model(Hdf5File& file, const ReportInput& input);
void write_recipe(Hdf5File& file, const ReportInput& input);
void write_sizes(Hdf5File& file, const ReportInput& input);
void write_weights(Hdf5File& file, const ReportInput& input);
void write_histograms(Hdf5File& file, const ReportInput& input);
void write_activations(Hdf5File& file, const ReportInput& input);
void write_measurements(Hdf5File& file, const ReportInput& input);
void write_sensitivity(Hdf5File& file, const ReportInput& input);

/// The dimension "tensor" of the current group: names of the tensors, in file order, with layer and module
/// beside it.
void add_tensor_dimension(Hdf5File& file, const ReportInput& input);

}  // namespace bitlens::report
