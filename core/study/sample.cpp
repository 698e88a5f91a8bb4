#include "core/study/sample.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "core/study/session.h"

namespace bitlens::study {

namespace {

namespace fs = std::filesystem;

/// The likeliest place first.
std::vector<fs::path> sample_places() {
  std::vector<fs::path> places;
  if (const char* data = std::getenv("BITLENS_DATA_DIR"); data != nullptr && *data != '\0')
    places.insert(places.end(), {fs::path(data), fs::path(data) / "sample"});
  std::error_code error;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", error); !error)
    places.push_back(program.parent_path().parent_path() / "share/bitlens/sample");
  places.emplace_back(BITLENS_SAMPLE_SOURCE_DIR);
  return places;
}

/// The folder among them that holds `name`; empty if none does.
fs::path folder_with(const char* name) {
  std::error_code error;
  for (const fs::path& place : sample_places())
    if (fs::is_regular_file(place / name, error)) return place;
  return {};
}

}  // namespace

Result<std::string> sample_file(const char* name) {
  const fs::path folder = folder_with(name);
  if (folder.empty())
    return fail(
        ErrorCode::NotFound,
        fmt::format("the sample's {} is not installed beside the program; give the path of a file instead",
                    name));
  return (folder / name).string();
}

std::string sample_folder() {
  return folder_with(kSampleModel).string();
}

}  // namespace bitlens::study
