#include "views/text/cell_text.h"

#include <QCoreApplication>

#include "views/text/units.h"

namespace bitlens::views {

namespace {
struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::Cells)
};
}  // namespace

QString source_text(const sensitivity::CellRecord& record) {
  using sensitivity::Method;
  if (record.method == Method::Response || record.method == Method::Fisher)
    return Tr::tr("predicted from %n sample(s)", nullptr, static_cast<int>(record.samples));
  if (record.method != Method::Measured) return Tr::tr("a score, not a loss");
  const QString measured =
      Tr::tr("measured on %n window(s), %1 tokens scored", nullptr, static_cast<int>(record.windows))
          .arg(count_text(record.scored_tokens));
  return record.adaptive ? Tr::tr("%1, as many as it took").arg(measured) : measured;
}

QString doubt_text(const CellTable& cells, const sensitivity::CellRecord& record) {
  if (!cells.needs_more_tokens(record)) return {};
  return Tr::tr("More tokens needed: the error is above a tenth of the value and above what matters (%1).")
      .arg(short_number_text(cells.error_that_matters(record.format)));
}

QString provenance_text(const study::Provenance& from) {
  return Tr::tr("%1: %n window(s) of %2 tokens; quantizer %3", nullptr, static_cast<int>(from.windows))
      .arg(shown(from.text_name, 60))
      .arg(from.context)
      .arg(shown(from.quantizer));
}

}  // namespace bitlens::views
