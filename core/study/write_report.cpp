// Gathers what a report says: the model, what the recipe makes of it, statistics of weights and of layer
// inputs, and the rows already measured.
#include "core/report/report.h"
#include "core/study/sensitivity.h"
#include "core/study/session.h"
#include "core/study/utc_time.h"

namespace bitlens::study {

namespace {

report::MeasurementRow row_of(const MeasuredResult& result) {
  const Provenance& from = result.provenance;
  report::MeasurementRow row;
  row.name = result.name;
  if (result.recipe) row.recipe_json = quantize::recipe_to_json(*result.recipe);
  row.file_bytes = result.file_bytes;
  row.bits_per_weight = result.bits_per_weight;
  row.measurement = result.measurement;
  row.provenance = {from.model_path, from.model_sha256, from.text_name, from.text_sha256,     from.tokenizer,
                    from.bos,        from.quantizer,    from.program,   from.instruction_set, from.time,
                    from.threads,    from.seed,         from.imatrix,   from.imatrix_sha256};
  return row;
}

report::SensitivitySweep sweep_of(const SensitivityResult& result) {
  const Provenance& from = result.provenance;
  report::SensitivitySweep sweep;
  sweep.cells = result.cells;
  sweep.grouping = grouping_name(result.grouping);
  sweep.positions = result.positions;
  sweep.context = from.context;
  sweep.windows = from.windows;
  sweep.protocol = from.protocol;
  sweep.activations = from.activations;
  sweep.provenance = {from.model_path,      from.model_sha256, from.text_name, from.text_sha256,
                      from.tokenizer,       from.bos,          from.quantizer, from.program,
                      from.instruction_set, from.time,         from.threads,   from.seed};
  return sweep;
}

Result<std::vector<std::optional<analyze::WeightStatistics>>> all_weight_statistics(const io::ModelFile& file,
                                                                                    const WorkContext& work) {
  std::vector<std::size_t> decodable;
  for (std::size_t i = 0; i < file.tensors().size(); ++i)
    if (kernels::info(file.tensors()[i].format).decodes) decodable.push_back(i);
  auto statistics = analyze::weight_statistics(file, decodable, work);
  if (!statistics) return pass(statistics);
  std::vector<std::optional<analyze::WeightStatistics>> out(file.tensors().size());
  for (std::size_t i = 0; i < decodable.size(); ++i) out[decodable[i]] = std::move((*statistics)[i]);
  return out;
}

}  // namespace

Status write_report(const ReportRequest& request, const WorkContext& work) {
  return write_report(request, SweepReport{}, work);
}

Status write_report(const ReportRequest& request, const SweepReport& sweeps, const WorkContext& work) {
  const ModelSession& session = *request.session;
  std::vector<std::string> inputs = request.inputs;
  if (request.calibration) inputs.push_back(request.calibration->text->path);
  if (Status usable = check_output(session, request.path, request.force, inputs); !usable) return usable;

  report::ReportInput report = report::describe_model(*session.model);
  auto hash = session.file().sha256(work);
  if (!hash) return pass(hash);
  report.model_sha256 = std::move(*hash);
  if (request.recipe) {
    auto resolved = quantize::resolve(*request.recipe, session.file(), request.quantizer, request.importance);
    if (!resolved) return pass(resolved);
    report.recipe = std::move(*resolved);
  }
  if (sweeps.statistics) {
    auto weights = all_weight_statistics(session.file(), work);
    if (!weights) return pass(weights);
    report.weights = std::move(*weights);
  }
  if (request.calibration) {
    auto activations = input_statistics(session, *request.calibration, request.options, work);
    if (!activations) return pass(activations);
    report.activations = std::move(*activations);
    report.calibration_name = request.calibration->text->name;
    report.calibration_sha256 = request.calibration->text->sha256;
  }
  for (const MeasuredResult& result : request.results) report.measurements.push_back(row_of(result));
  for (const auto& result : sweeps.sweeps) report.sensitivities.push_back(sweep_of(*result));
  const ProgramInfo program = program_info();
  report.program = program.version;
  report.instruction_set = program.instruction_set;
  report.time = utc_time();
  report.threads = work.pool.size();
  if (work.stopped()) return WorkContext::cancelled();
  return report::write_hdf5(report, request.path, request.force);
}

}  // namespace bitlens::study
