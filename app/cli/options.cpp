#include "app/cli/options.h"

#include <filesystem>
#include <limits>

#include "core/base/atomic_file.h"

namespace bitlens::cli {

namespace fs = std::filesystem;

void add_model(CLI::App& app, std::string& model) {
  app.add_option("MODEL", model,
                 "GGUF file (any shard of a split one), or \"sample\" for the model that comes with Bitlens")
      ->required();
}

void add_measure_options(CLI::App& app, MeasureOptions& options) {
  app.add_option("--context", options.context, "Tokens per window (default: 512 for llama, 2048 for paper)")
      ->check(CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()))
      ->type_name("N");
  app.add_option("--windows", options.windows, "Score at most N windows from the start of the text (0: all)")
      ->type_name("N");
  app.add_option("--protocol", options.protocol,
                 "llama: windows' second halves, as llama-perplexity; paper: every position, as GPTQ and AWQ")
      ->check(CLI::IsMember({"llama", "paper"}))
      ->capture_default_str()
      ->type_name("llama|paper");
  app.add_option(
         "--activations", options.activations,
         "exact: weights only; q8: the inputs of quantized weights rounded as llama.cpp's CPU code does")
      ->check(CLI::IsMember({"exact", "q8"}))
      ->capture_default_str()
      ->type_name("exact|q8");
}

evaluate::Options MeasureOptions::resolved() const {
  evaluate::Options out;
  out.protocol = protocol == "paper" ? evaluate::Protocol::Paper : evaluate::Protocol::Llama;
  out.activations = activations == "q8" ? evaluate::Activations::Q8 : evaluate::Activations::Exact;
  out.context = context;
  out.windows = windows;
  return out;
}

void add_quantizer(CLI::App& app, std::string& quantizer) {
  app.add_option(
         "--quantizer", quantizer,
         "Default of rules that name none. search: smallest error; rtn: plain rounding, as other tools")
      ->check(CLI::IsMember({"rtn", "search"}))
      ->capture_default_str()
      ->type_name("rtn|search");
}

quantize::Quantizer quantizer_of(const std::string& name) {
  return quantize::quantizer_from_name(name).value_or(quantize::Quantizer::Search);
}

Result<quantize::Recipe> load_recipe(const std::string& argument) {
  constexpr std::size_t kMaxBytes = 16U << 20U;
  std::error_code error;
  const bool there = fs::exists(fs::status(argument, error));
  if (!there) {
    const kernels::FormatInfo* format = kernels::find_format(std::string_view(argument));
    if (format != nullptr) {
      quantize::Recipe recipe;
      recipe.name = std::string(format->name);
      recipe.fallback = format->format;
      return recipe;
    }
  }
  const auto content = read_file(argument, kMaxBytes);
  if (!content) return pass(content);
  return quantize::parse_recipe(*content, argument);
}

Result<std::shared_ptr<const study::TokenizedText>> load_tokens(const study::ModelSession& session,
                                                                const std::string& text) {
  auto loaded = study::load_text(text);
  if (!loaded) return pass(loaded);
  return study::tokenize(session, std::move(*loaded));
}

std::vector<std::string> model_warnings(const study::ModelSession& session) {
  std::vector<std::string> out = session.file().warnings();
  const auto& odd = session.model->warnings();
  out.insert(out.end(), odd.begin(), odd.end());
  if (session.tokenizer) {
    const auto& more = (*session.tokenizer)->warnings();
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

}  // namespace bitlens::cli
