// Cutting a text into the windows of a protocol.
#include <fmt/format.h>

#include <algorithm>

#include "core/evaluate/perplexity.h"

namespace bitlens::evaluate {

const char* protocol_name(Protocol protocol) {
  return protocol == Protocol::Llama ? "llama" : "paper";
}

const char* activations_name(Activations activations) {
  return activations == Activations::Exact ? "exact" : "q8";
}

const char* compute_name(Compute compute) {
  return compute == Compute::Exact ? "exact" : "fast";
}

Result<Windows> make_windows(const std::vector<tokenizer::TokenId>& text_tokens,
                             const tokenizer::Tokenizer& tokenizer, const Options& options,
                             std::uint32_t model_context) {
  constexpr std::uint32_t llama_context = 512, paper_context = 2048, smallest_context = 4;
  const bool llama = options.protocol == Protocol::Llama;
  Windows windows;
  windows.context = options.context != 0 ? options.context : llama ? llama_context : paper_context;
  windows.text_tokens = text_tokens.size();
  const std::size_t context = windows.context;
  if (context < smallest_context)
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("a context of {} tokens is too short; at least {} needed", context, smallest_context));
  if (text_tokens.size() < 2 * context)
    return fail(ErrorCode::InvalidArgument,
                fmt::format("text has {} tokens; at least 2 x {} needed", text_tokens.size(), context));
  windows.first_scored = llama ? windows.context / 2 : 0;
  windows.last_scored = windows.context - 2;

  std::size_t count = text_tokens.size() / context;
  if (options.windows != 0) count = std::min<std::size_t>(count, options.windows);
  const bool replace = llama && tokenizer.adds_bos() && tokenizer.bos().has_value();
  for (std::size_t w = 0; w < count; ++w) {
    const auto begin = text_tokens.begin() + static_cast<std::ptrdiff_t>(w * context);
    const auto end = begin + static_cast<std::ptrdiff_t>(context);
    windows.inputs.emplace_back(begin, end);
    windows.targets.emplace_back(begin + 1, end);
    if (replace) windows.inputs.back().front() = *tokenizer.bos();
  }
  if (tokenizer.adds_bos() && !tokenizer.bos())
    windows.warnings.emplace_back("the model adds a BOS token but names none; windows start without it");
  if (windows.context > model_context)
    windows.warnings.push_back(fmt::format(
        "windows of {} tokens are longer than the model's own context of {}", context, model_context));
  return windows;
}

}  // namespace bitlens::evaluate
