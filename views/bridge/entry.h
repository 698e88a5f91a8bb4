// Marks where the views enter the engine. Heavy work must not run on the thread that draws the window: an
// Entry made there is reported through qCritical, which the tests treat as a failure.
#pragma once

namespace bitlens::views {

struct Entry {
  explicit Entry(const char* what);
};

}  // namespace bitlens::views
