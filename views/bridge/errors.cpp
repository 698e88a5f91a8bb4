#include "views/bridge/errors.h"

#include <QCoreApplication>

#include "views/document/recipe_edit.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {
struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::Errors)
};
}  // namespace

QString error_headline(const Error& error) {
  switch (error.code) {
    case ErrorCode::InvalidArgument:
      return Tr::tr("That does not work");
    case ErrorCode::NotFound:
      return Tr::tr("Not found");
    case ErrorCode::Io:
      return Tr::tr("The system refused to read or write");
    case ErrorCode::OutOfSpace:
      return Tr::tr("Not enough room on the disk");
    case ErrorCode::BadFile:
      return Tr::tr("The file is damaged or of another kind");
    case ErrorCode::Unsupported:
      return Tr::tr("Not supported");
    case ErrorCode::Exists:
      return Tr::tr("The file exists already");
    case ErrorCode::Numeric:
      return Tr::tr("Not a number where a number is needed");
    case ErrorCode::Memory:
      return Tr::tr("Not enough memory");
    case ErrorCode::Changed:
      return Tr::tr("The file changed while it was in use");
    case ErrorCode::Cancelled:
      return Tr::tr("Cancelled");
  }
  return {};
}

QString error_advice(const Error& error) {
  switch (error.code) {
    case ErrorCode::NotFound:
      return Tr::tr("Check the path. A file on a removable or network drive must be connected.");
    case ErrorCode::Io:
      return Tr::tr("Check that you may read the file and that its drive is connected.");
    case ErrorCode::OutOfSpace:
      return Tr::tr("Free some space or choose another folder.");
    case ErrorCode::BadFile:
      return Tr::tr(
          "Download or convert the file again. A model must be one GGUF file, or all parts of a split one "
          "in one folder.");
    case ErrorCode::Unsupported:
      return Tr::tr("Bitlens reads GGUF files, version 2 and 3.");
    case ErrorCode::Exists:
      return Tr::tr("Choose another name or allow replacing it.");
    case ErrorCode::Numeric:
      return Tr::tr("The weights hold NaN or infinity: convert the model again.");
    case ErrorCode::Memory:
      return Tr::tr("Close other programs or choose fewer windows.");
    case ErrorCode::Changed:
      return Tr::tr("Open the file again.");
    case ErrorCode::InvalidArgument:
    case ErrorCode::Cancelled:
      break;
  }
  return {};
}

QString error_detail(const Error& error) {
  return shown(error.describe(), 1000);
}

QString error_text(const Error& error) {
  if (error.code == ErrorCode::Cancelled) return error_headline(error);
  return Tr::tr("%1: %2").arg(error_headline(error), error_detail(error));
}

QString refusal_text(const Refusal& refusal, const io::TensorInfo& tensor) {
  QString text;
  switch (refusal.kind) {
    case RefusalKind::RowLength:
      text = Tr::tr("rows of %1 weights are not a whole number of blocks of %2.")
                 .arg(tensor.row_length())
                 .arg(kernels::info(refusal.wanted).block_size);
      break;
    case RefusalKind::VectorFormat:
      text = Tr::tr("norms and 1-D tensors take F32, F16 or BF16 only.");
      break;
    case RefusalKind::NotDecodable:
      text = Tr::tr("it is stored as %1, which this version cannot decode.")
                 .arg(shown(kernels::info(tensor.format).name));
      break;
    case RefusalKind::Other:
      text = Tr::tr("its shape does not allow it.");
      break;
  }
  if (refusal.would_fit)
    text += QLatin1Char(' ') + Tr::tr("%1 would fit.").arg(shown(kernels::info(*refusal.would_fit).name));
  return text;
}

}  // namespace bitlens::views
