// Cells of the sensitivity map in words: value with its error, where it comes from, whether it is known well.
#pragma once

#include <QString>

#include "views/document/cell_table.h"

namespace bitlens::views {

/// "predicted from 200 samples", "measured on 8 windows (2,048 tokens), until known well enough".
[[nodiscard]] QString source_text(const sensitivity::CellRecord& record);
/// "more tokens needed: ..." or empty.
[[nodiscard]] QString doubt_text(const CellTable& cells, const sensitivity::CellRecord& record);
/// Where numbers come from: text, windows, context, quantizer.
[[nodiscard]] QString provenance_text(const study::Provenance& from);

}  // namespace bitlens::views
