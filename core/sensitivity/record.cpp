#include "core/sensitivity/record.h"

namespace bitlens::sensitivity {

const char* method_name(Method method) {
  switch (method) {
    case Method::Measured:
      return "measured";
    case Method::Response:
      return "response";
    case Method::Fisher:
      return "fisher";
    case Method::Energy:
      return "energy";
    case Method::EnergyShift:
      return "energy-shift";
    case Method::Rounding:
      return "rounding";
    case Method::ActivationRule:
      return "activation-rule";
    case Method::HessianTrace:
      return "hessian-trace";
  }
  return "";
}

const char* source_name(Method method) {
  return method == Method::Measured ? "measured" : "predicted";
}

}  // namespace bitlens::sensitivity
