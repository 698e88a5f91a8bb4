// formats: every precision a tensor can have, and what can be done with it.
#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/table.h"
#include "core/quantize/runtimes.h"

namespace bitlens::cli {

namespace {

constexpr const char* kHelp =
    "Bits per weight include scales. A row must be a whole number of blocks. \"Importance\": poor without "
    "--imatrix.\n"
    "\nJSON KEYS\n"
    "  formats [{name, bits_per_weight, block_size, block_bytes, decodes, encodes, wants_importance, "
    "runtimes}]";

Output list() {
  Output out;
  out.json["formats"] = nlohmann::ordered_json::array();
  Table table({{"Format"},
               {"Bits/weight", Align::Right},
               {"Block", Align::Right},
               {"Bytes", Align::Right},
               {"Reads"},
               {"Writes"},
               {"Importance"},
               {"Read by"}});
  for (const kernels::FormatInfo& format : kernels::all_formats()) {
    if (!format.decodes) continue;
    const std::string_view runtimes = quantize::runtimes_that_read(format.format);
    table.add({std::string(format.name), fmt::format("{:.4g}", format.bits_per_weight()),
               fmt::format("{}", format.block_size), fmt::format("{}", format.block_bytes), "yes",
               format.encodes ? "yes" : "no", format.wants_importance ? "needed" : "",
               std::string(runtimes)});
    out.json["formats"].push_back({{"name", format.name},
                                   {"bits_per_weight", format.bits_per_weight()},
                                   {"block_size", format.block_size},
                                   {"block_bytes", format.block_bytes},
                                   {"decodes", format.decodes},
                                   {"encodes", format.encodes},
                                   {"wants_importance", format.wants_importance},
                                   {"runtimes", runtimes}});
  }
  out.text = table.render();
  return out;
}

}  // namespace

Command add_formats(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("formats", "List the formats a tensor can be stored in");
  app->footer(kHelp);
  return {app, [](const Environment&) -> Result<Output> { return list(); }};
}

}  // namespace bitlens::cli
