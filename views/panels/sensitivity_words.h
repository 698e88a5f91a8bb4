// A sensitivity run in words: what will be done, what is being done, what was found.
#pragma once

#include <QString>

namespace bitlens::views {

class Document;
class Sensitivity;

[[nodiscard]] QString plan_words(const Document& document);
[[nodiscard]] QString stage_words(const Sensitivity& sensitivity);
[[nodiscard]] QString found_words(const Document& document);

}  // namespace bitlens::views
