// Resolving a recipe against a file: one choice per tensor, exact sizes, every problem found before any work.
#include <fmt/format.h>

#include <algorithm>

#include "core/io/gguf_writer.h"
#include "core/quantize/recipe.h"
#include "core/quantize/tensor_kind.h"
#include "core/quantize/weighing.h"

namespace bitlens::quantize {

namespace {

bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

/// Names of the formats a row of `row_length` weights can be stored in.
std::string fitting_formats(std::uint64_t row_length) {
  std::vector<std::string_view> names;
  for (const auto& format : kernels::all_formats())
    if (format.encodes && row_length % format.block_size == 0) names.push_back(format.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string rule_text(const Recipe& recipe, int rule) {
  if (rule < 0) return "the default";
  return fmt::format("rule {} (\"{}\")", rule + 1, recipe.rules[static_cast<std::size_t>(rule)].tensor);
}

class Resolver {
 public:
  Resolver(const Recipe& recipe, const io::ModelFile& file, Quantizer default_quantizer,
           ImportancePtr importance)
      : recipe_(recipe),
        file_(file),
        matched_(recipe.rules.size(), false),
        decided_(recipe.rules.size(), false) {
    out_.recipe = recipe;
    out_.default_quantizer = default_quantizer;
    out_.importance = std::move(importance);
  }

  Result<ResolvedRecipe> run() {
    std::vector<io::TensorPlan> plan;
    for (const io::TensorInfo& tensor : file_.tensors()) {
      auto choice = choose(tensor);
      if (!choice) return pass(choice);
      choice->weighted = weighs(*choice, out_.tensors.size());
      plan.push_back({tensor.name, tensor.shape, choice->format});
      out_.tensors.push_back(*choice);
      out_.weights += tensor.elements();
    }
    warn_about_rules();
    warn_about_second_quantization();
    warn_about_importance();
    return with_sizes(plan);
  }

 private:
  Result<TensorChoice> choose(const io::TensorInfo& tensor) {
    TensorChoice choice;
    choice.source = choice.format = tensor.format;
    choice.quantizer = out_.default_quantizer;
    FormatChoice wanted = recipe_.fallback;
    bool by_name = false;
    for (std::size_t r = 0; r < recipe_.rules.size(); ++r) {
      const Rule& rule = recipe_.rules[r];
      if (!glob_matches(rule.tensor, tensor.name)) continue;
      matched_[r] = true;
      if (choice.rule >= 0) continue;  // decided; only noting what else would have matched
      choice.rule = static_cast<int>(r);
      decided_[r] = true;
      wanted = rule.format;
      by_name = asks_by_name(rule.tensor);
      choice.quantizer = rule.quantizer.value_or(out_.default_quantizer);
    }
    if (wanted && *wanted != tensor.format) {
      if (!by_name && (is_norm_or_vector(tensor) || is_integer(tensor.format)))
        choice.kept_norm = true;
      else if (const auto fits = check_change(tensor, *wanted, choice.rule); !fits)
        return pass(fits);
      else
        choice.format = *wanted;
    }
    choice.changed = choice.format != choice.source;
    return choice;
  }

  /// Does the encoder of this tensor look at the importance of columns?
  [[nodiscard]] bool weighs(const TensorChoice& choice, std::size_t tensor) const {
    return choice.changed && quantize::weighs(out_.importance, tensor, choice.format, choice.quantizer);
  }

  [[nodiscard]] Status check_change(const io::TensorInfo& tensor, Format wanted, int rule) const {
    const auto named = [&](const Error& error) -> Status {
      return fail(error.code,
                  fmt::format("{} asks for {}: {}", rule_text(recipe_, rule), kernels::info(wanted).name,
                              error.message),
                  {file_.path(), tensor.name, {}});
    };
    if (const auto fits = check_format(tensor, wanted); !fits) return named(fits.error());
    const kernels::FormatInfo& source = kernels::info(tensor.format);
    if (!source.decodes)
      return named(
          Error{ErrorCode::Unsupported,
                fmt::format("it is stored as {}, which cannot be decoded; \"keep\" copies it", source.name),
                {},
                nullptr});
    return {};
  }

  void warn_about_rules() {
    for (std::size_t r = 0; r < recipe_.rules.size(); ++r) {
      if (!matched_[r])
        out_.warnings.push_back(fmt::format("{} matches no tensor", rule_text(recipe_, static_cast<int>(r))));
      else if (!decided_[r])
        out_.warnings.push_back(fmt::format("{} decides nothing: earlier rules match every tensor it matches",
                                            rule_text(recipe_, static_cast<int>(r))));
    }
  }

  void warn_about_second_quantization() {
    std::size_t count = 0;
    const io::TensorInfo* first = nullptr;
    for (std::size_t t = 0; t < out_.tensors.size(); ++t) {
      const TensorChoice& choice = out_.tensors[t];
      if (!choice.changed || kernels::info(choice.source).block_size == 1 ||
          kernels::info(choice.format).block_size == 1)
        continue;
      if (count++ == 0) first = &file_.tensors()[t];
    }
    if (count > 0)
      out_.warnings.push_back(fmt::format(
          "{} tensor{} already quantized (first: {}, {}) and will be quantized again: the errors add up",
          count, count == 1 ? " is" : "s are", printable(first->name, 80),
          kernels::info(first->format).name));
  }

  void warn_about_importance() {
    std::size_t blind = 0;
    const io::TensorInfo* first = nullptr;
    bool used = false;
    for (std::size_t t = 0; t < out_.tensors.size(); ++t) {
      const TensorChoice& choice = out_.tensors[t];
      used = used || choice.weighted;
      if (!choice.changed || choice.weighted || !kernels::info(choice.format).wants_importance) continue;
      if (blind++ == 0) first = &file_.tensors()[t];
    }
    if (blind > 0)
      out_.warnings.push_back(
          fmt::format("{} tensor{} to a format that is poor without an importance matrix (first: {}); give "
                      "one with entries "
                      "for them",
                      blind, blind == 1 ? " goes" : "s go", printable(first->name, 80)));
    if (!out_.importance) return;
    if (!used)
      out_.warnings.push_back(fmt::format(
          "the importance matrix {} is not used: no tensor that changes is rounded by a search it covers",
          printable(out_.importance->file, 200)));
    else
      out_.warnings.insert(out_.warnings.end(), out_.importance->warnings.begin(),
                           out_.importance->warnings.end());
  }

  Result<ResolvedRecipe> with_sizes(const std::vector<io::TensorPlan>& plan) {
    const auto layout = io::plan_gguf(export_metadata(out_, file_), plan);
    if (!layout) return tl::unexpected<Error>(layout.error());
    std::uint64_t data = 0;
    for (std::size_t t = 0; t < plan.size(); ++t) {
      out_.tensors[t].bytes = layout->tensor_bytes[t];
      data += layout->tensor_bytes[t];
    }
    out_.file_bytes = layout->file_bytes;
    out_.tensor_bytes = layout->file_bytes - layout->header_bytes;
    if (out_.weights > 0)
      out_.bits_per_weight = 8.0 * static_cast<double>(data) / static_cast<double>(out_.weights);
    return std::move(out_);
  }

  const Recipe& recipe_;
  const io::ModelFile& file_;
  std::vector<bool> matched_, decided_;
  ResolvedRecipe out_;
};

}  // namespace

bool is_norm_or_vector(const io::TensorInfo& tensor) {
  const auto long_dimensions = std::count_if(tensor.shape.begin(), tensor.shape.end(),
                                             [](std::uint64_t length) { return length > 1; });
  if (long_dimensions <= 1) return true;
  std::string_view name = tensor.name;
  for (const std::string_view suffix : {".weight", ".bias"})
    if (ends_with(name, suffix)) {
      name.remove_suffix(suffix.size());
      break;
    }
  if (const auto dot = name.rfind('.'); dot != std::string_view::npos) name.remove_prefix(dot + 1);
  return name.find("norm") != std::string_view::npos;
}

bool asks_by_name(std::string_view glob) {
  const auto wildcard = glob.find_last_of("*?");
  const std::string_view literal = wildcard == std::string_view::npos ? glob : glob.substr(wildcard + 1);
  return !ends_with(".weight", literal) && !ends_with(".bias", literal);
}

bool is_integer(kernels::Format format) {
  return format == Format::I8 || format == Format::I16 || format == Format::I32 || format == Format::I64;
}

Status check_format(const io::TensorInfo& tensor, Format format) {
  const kernels::FormatInfo& wanted = kernels::info(format);
  if (!wanted.encodes)
    return fail(ErrorCode::Unsupported, fmt::format("{} cannot be written by this program", wanted.name),
                {{}, tensor.name, {}});
  if (tensor.elements() == 0)
    return fail(ErrorCode::InvalidArgument, "the tensor is empty", {{}, tensor.name, {}});
  if (tensor.row_length() % wanted.block_size != 0)
    return fail(ErrorCode::InvalidArgument,
                fmt::format("rows of {} weights are not a whole number of blocks of {}; what fits: {}",
                            tensor.row_length(), wanted.block_size, fitting_formats(tensor.row_length())),
                {{}, tensor.name, {}});
  return {};
}

Result<ResolvedRecipe> resolve(const Recipe& recipe, const io::ModelFile& file, Quantizer default_quantizer,
                               ImportancePtr importance) {
  if (importance && importance->columns.size() != file.tensors().size())
    return fail(ErrorCode::InvalidArgument, "the importance matrix was matched to another file",
                {file.path(), {}, {}});
  return Resolver(recipe, file, default_quantizer, std::move(importance)).run();
}

}  // namespace bitlens::quantize
