// Exit statuses: one per kind of error, a promise to scripts.
#pragma once

#include <string>

#include "core/base/result.h"

namespace bitlens::cli {

inline constexpr int kInternalError = 1;

[[nodiscard]] constexpr int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return 2;
    case ErrorCode::NotFound:
      return 3;
    case ErrorCode::Io:
      return 4;
    case ErrorCode::OutOfSpace:
      return 5;
    case ErrorCode::BadFile:
      return 6;
    case ErrorCode::Unsupported:
      return 7;
    case ErrorCode::Exists:
      return 8;
    case ErrorCode::Cancelled:
      return 9;
    case ErrorCode::Numeric:
      return 10;
    case ErrorCode::Memory:
      return 11;
    case ErrorCode::Changed:
      return 12;
  }
  return kInternalError;
}

inline constexpr const char* kExitCodeHelp =
    "EXIT STATUS\n"
    "   0  done\n"
    "   1  internal error\n"
    "   2  wrong command line, or a request that makes no sense (a recipe, a text that is too short)\n"
    "   3  a file, tensor or key was not found\n"
    "   4  the system refused to read or write\n"
    "   5  not enough space on the disk\n"
    "   6  a file is malformed, truncated or hostile\n"
    "   7  a file is of a kind this program does not handle\n"
    "   8  the output exists already (see --force)\n"
    "   9  cancelled (Ctrl-C)\n"
    "  10  NaN or infinity where a number is needed\n"
    "  11  not enough memory\n"
    "  12  a file changed on disk while it was in use\n"
    "Every failure writes exactly one line, \"error: ...\", to stderr and nothing to stdout.";

}  // namespace bitlens::cli
