// What makes a tensor sensitive or safe at a format, in sentences, each with the numbers behind it.
#pragma once

#include <QStringList>
#include <cstddef>

#include "kernels/formats/format.h"

namespace bitlens::views {

class Document;

[[nodiscard]] QStringList why_sentences(const Document& document, std::size_t tensor, kernels::Format format);

}  // namespace bitlens::views
