// decode() and encode(): one row of a format to the family that knows it.
#include "kernels/formats/codec.h"

#include "kernels/formats/families.h"

namespace bitlens::kernels {

void decode(Format format, const std::byte* source, float* target, std::size_t count) {
  switch (format) {
    case Format::F32:
      return decode_f32(source, target, count);
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
    case Format::Q2_K:
      return decode_q2_k(source, target, count);
    case Format::Q3_K:
      return decode_q3_k(source, target, count);
    case Format::Q4_K:
      return decode_q4_k(source, target, count);
    case Format::Q5_K:
      return decode_q5_k(source, target, count);
    case Format::Q6_K:
      return decode_q6_k(source, target, count);
    case Format::IQ4_NL:
      return decode_iq4_nl(source, target, count);
    case Format::IQ4_XS:
      return decode_iq4_xs(source, target, count);
    case Format::TQ1_0:
      return decode_tq1_0(source, target, count);
    case Format::TQ2_0:
      return decode_tq2_0(source, target, count);
    case Format::MXFP4:
      return decode_mxfp4(source, target, count);
    case Format::NVFP4:
      return decode_nvfp4(source, target, count);
    case Format::IQ2_XXS:
      return decode_iq2_xxs(source, target, count);
    case Format::IQ2_XS:
      return decode_iq2_xs(source, target, count);
    case Format::IQ2_S:
      return decode_iq2_s(source, target, count);
    case Format::IQ3_XXS:
      return decode_iq3_xxs(source, target, count);
    case Format::IQ3_S:
      return decode_iq3_s(source, target, count);
    case Format::IQ1_S:
      return decode_iq1_s(source, target, count);
    case Format::IQ1_M:
      return decode_iq1_m(source, target, count);
    case Format::Q1_0:
      return decode_q1_0(source, target, count);
    case Format::Q2_0:
      return decode_q2_0(source, target, count);
    default:
      return;
  }
}

bool searches(Format format, Quantizer quantizer) {
  switch (format) {
    case Format::F32:
    case Format::F16:
    case Format::BF16:
      return false;
    case Format::Q4_0:
    case Format::Q4_1:
    case Format::Q5_0:
    case Format::Q5_1:
    case Format::Q8_0:
      return quantizer == Quantizer::Search;
    default:
      return info(format).encodes;
  }
}

void encode(Format format, Quantizer quantizer, const float* source, const float* importance,
            std::byte* target, std::size_t count) {
  const bool rtn = quantizer == Quantizer::Rtn;
  switch (format) {
    case Format::F32:
      return encode_f32(source, target, count);
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
    case Format::Q2_K:
      return encode_q2_k(source, importance, target, count);
    case Format::Q3_K:
      return encode_q3_k(source, importance, target, count);
    case Format::Q4_K:
      return encode_q4_k(source, importance, target, count);
    case Format::Q5_K:
      return encode_q5_k(source, importance, target, count);
    case Format::Q6_K:
      return encode_q6_k(source, importance, target, count);
    case Format::IQ4_NL:
      return encode_iq4_nl(source, importance, target, count);
    case Format::IQ4_XS:
      return encode_iq4_xs(source, importance, target, count);
    case Format::TQ1_0:
      return encode_tq1_0(source, importance, target, count);
    case Format::TQ2_0:
      return encode_tq2_0(source, importance, target, count);
    case Format::MXFP4:
      return encode_mxfp4(source, importance, target, count);
    case Format::NVFP4:
      return encode_nvfp4(source, importance, target, count);
    case Format::IQ2_XXS:
      return encode_iq2_xxs(source, importance, target, count);
    case Format::IQ2_XS:
      return encode_iq2_xs(source, importance, target, count);
    case Format::IQ2_S:
      return encode_iq2_s(source, importance, target, count);
    case Format::IQ3_XXS:
      return encode_iq3_xxs(source, importance, target, count);
    case Format::IQ3_S:
      return encode_iq3_s(source, importance, target, count);
    case Format::IQ1_S:
      return encode_iq1_s(source, importance, target, count);
    case Format::IQ1_M:
      return encode_iq1_m(source, importance, target, count);
    case Format::Q1_0:
      return encode_q1_0(source, importance, target, count);
    case Format::Q2_0:
      return encode_q2_0(source, importance, target, count);
    default:
      return;
  }
}

}  // namespace bitlens::kernels
