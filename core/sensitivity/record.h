// What is known about a cell, as it is kept: one record per cell and method.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/formats/codec.h"
#include "kernels/formats/format.h"

namespace bitlens::sensitivity {

/// How a cell's value came about. All but Measured are predictions.
enum class Method { Measured, Response, Fisher, Energy, EnergyShift, Rounding, ActivationRule, HessianTrace };

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Measured, Response and Fisher are in nats per scored token. The other methods have no unit that could be
/// compared across methods; their value stands in kl_mean all the same, and only its order means something.
struct CellRecord {
  std::string tensor;  ///< or the group's name
  kernels::Format format = kernels::Format::F16;
  kernels::Quantizer quantizer = kernels::Quantizer::Search;
  Method method = Method::Measured;
  double kl_mean = kUnknown, kl_se = kUnknown;
  double dnll_mean = kUnknown, dnll_se = kUnknown;
  double kl_median = kUnknown, kl_p99 = kUnknown, kl_max = kUnknown, top1_agreement = kUnknown;  ///< measured
  std::uint64_t scored_tokens = 0;   ///< behind a measured value
  std::uint64_t windows = 0;         ///< measured ones behind it
  bool adaptive = false;             ///< measured until the error was small enough, not on all windows
  std::uint64_t samples = 0;         ///< behind a predicted one
  double seconds = 0;                ///< of work for this cell alone, where that can be said
  std::vector<float> response;       ///< one value per sample, for joint predictions; Response only
  std::vector<float> text_response;  ///< of the text's own labels, one per window; Response only
  std::vector<float> window_kl;      ///< mean KL of each window measured: where in the text it comes from
};

/// "measured", "response", "fisher", "energy", "energy-shift", "rounding", "activation-rule", "hessian-trace"
[[nodiscard]] const char* method_name(Method method);
/// "measured" or "predicted".
[[nodiscard]] const char* source_name(Method method);
inline constexpr Method kMethods[] = {Method::Measured,       Method::Response,    Method::Fisher,
                                      Method::Energy,         Method::EnergyShift, Method::Rounding,
                                      Method::ActivationRule, Method::HessianTrace};

}  // namespace bitlens::sensitivity
