// decode() and encode(): one row of a format to the family that knows it.
#include "kernels/formats/codec.h"

#include <cstring>

#include "kernels/formats/families.h"

namespace bitlens::kernels {

void decode(Format format, const std::byte* source, float* target, std::size_t count) {
  switch (format) {
    case Format::F32:
      std::memcpy(target, source, count * sizeof(float));
      return;
    case Format::F16:
      return decode_f16(source, target, count);
    case Format::BF16:
      return decode_bf16(source, target, count);
    case Format::Q4_0:
      return decode_q4_0(source, target, count);
    case Format::Q4_1:
      return decode_q4_1(source, target, count);
    case Format::Q5_0:
      return decode_q5_0(source, target, count);
    case Format::Q5_1:
      return decode_q5_1(source, target, count);
    case Format::Q8_0:
      return decode_q8_0(source, target, count);
    default:
      return;
  }
}

void encode(Format format, Quantizer quantizer, const float* source, const float* importance,
            std::byte* target, std::size_t count) {
  const bool rtn = quantizer == Quantizer::Rtn;
  switch (format) {
    case Format::F32:
      std::memcpy(target, source, count * sizeof(float));
      return;
    case Format::F16:
      return encode_f16(source, target, count);
    case Format::BF16:
      return encode_bf16(source, target, count);
    case Format::Q4_0:
      return rtn ? encode_rtn_q4_0(source, target, count)
                 : encode_search_q4_0(source, importance, target, count);
    case Format::Q4_1:
      return rtn ? encode_rtn_q4_1(source, target, count)
                 : encode_search_q4_1(source, importance, target, count);
    case Format::Q5_0:
      return rtn ? encode_rtn_q5_0(source, target, count)
                 : encode_search_q5_0(source, importance, target, count);
    case Format::Q5_1:
      return rtn ? encode_rtn_q5_1(source, target, count)
                 : encode_search_q5_1(source, importance, target, count);
    case Format::Q8_0:
      return rtn ? encode_rtn_q8_0(source, target, count)
                 : encode_search_q8_0(source, importance, target, count);
    default:
      return;
  }
}

}  // namespace bitlens::kernels
