#include "views/bridge/analysis_calls.h"

#include "views/bridge/entry.h"

namespace bitlens::views {

Result<WeightsPtr> describe_weights(const study::ModelSession& session, std::size_t tensor,
                                    const WorkContext& work) {
  const Entry entry("weight_statistics");
  auto weights = analyze::weight_statistics(session.file(), tensor, work);
  if (!weights) return pass(weights);
  return std::make_shared<const analyze::WeightStatistics>(std::move(*weights));
}

Result<analyze::RoundingError> describe_rounding(const study::ModelSession& session, std::size_t tensor,
                                                 kernels::Format format, kernels::Quantizer quantizer,
                                                 std::span<const double> input_energy,
                                                 const WorkContext& work) {
  const Entry entry("rounding_error");
  return analyze::rounding_error(session.file(), tensor, format, quantizer, input_energy, work);
}

Result<std::vector<InputsPtr>> describe_inputs(const study::ModelSession& session,
                                               const study::TokenizedText& text,
                                               const evaluate::Options& options, const WorkContext& work) {
  const Entry entry("activation_statistics");
  auto found = study::input_statistics(session, text, options, work);
  if (!found) return pass(found);
  std::vector<InputsPtr> inputs;
  for (auto& one : *found)
    inputs.push_back(one ? std::make_shared<const analyze::ActivationStatistics>(std::move(*one)) : nullptr);
  return inputs;
}

}  // namespace bitlens::views
