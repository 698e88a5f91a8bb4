// What a command of the command line is: options added to the parser, and a body that turns them into a
// result. Bodies never print: main() writes the result to stdout, warnings and errors to stderr.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"

namespace bitlens::cli {

struct Output {
  std::string text;             ///< for people; ends with a newline
  nlohmann::ordered_json json;  ///< the same for programs; `warnings` is added by main()
  std::vector<std::string> warnings;
};

struct Environment {
  const WorkContext& work;
  bool json = false;
  /// Writes a part of the text result at once, for a command whose parts arrive over time.
  std::function<Status(std::string_view)> print;
};

struct Command {
  CLI::App* app = nullptr;
  std::function<Result<Output>(const Environment&)> body;
};

[[nodiscard]] Command add_inspect(CLI::App& parent);
[[nodiscard]] Command add_tokenize(CLI::App& parent);
[[nodiscard]] Command add_stats(CLI::App& parent);
[[nodiscard]] Command add_perplexity(CLI::App& parent);
[[nodiscard]] Command add_quantize(CLI::App& parent);
[[nodiscard]] Command add_report(CLI::App& parent);
[[nodiscard]] Command add_sensitivity(CLI::App& parent);
[[nodiscard]] Command add_predict(CLI::App& parent);
[[nodiscard]] Command add_formats(CLI::App& parent);
[[nodiscard]] Command add_imatrix(CLI::App& parent);
[[nodiscard]] Command add_recipe(CLI::App& parent);
[[nodiscard]] Command add_tasks(CLI::App& parent);
[[nodiscard]] Command add_tour(CLI::App& parent);

}  // namespace bitlens::cli
