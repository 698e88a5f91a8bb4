// What every fallible call of the engine returns: a value, or an Error that says what, where and why.
// Errors are values: no exception leaves core, and nothing read from a file may abort the program.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace bitlens {

/// The kind of a failure. The command line maps it to an exit status, the studio to a next step.
enum class ErrorCode {
  InvalidArgument,  ///< the caller or the user asked for something that makes no sense
  NotFound,         ///< a file, a tensor or a key that is not there
  Io,               ///< the operating system refused a read or a write
  OutOfSpace,       ///< not enough room on the disk
  BadFile,          ///< a file's content is malformed, truncated or hostile
  Unsupported,      ///< well-formed, but of a kind this program does not handle
  Exists,           ///< an output exists and may not be overwritten
  Numeric,          ///< NaN or infinity where a number is needed
  Memory,           ///< more memory needed than there is
  Changed,          ///< a file changed on disk while it was in use
  Cancelled         ///< the user stopped the work: an outcome, shown as such and not as a failure
};

/// Where a failure was found. Empty parts are unknown or do not apply.
struct Where {
  std::string file;                     ///< path as given by the user
  std::string object;                   ///< tensor, metadata key or rule
  std::optional<std::uint64_t> offset;  ///< byte offset in `file`
};

struct Error {
  ErrorCode code = ErrorCode::InvalidArgument;
  std::string message;  ///< one line: what was found, what was expected
  Where where;
  std::shared_ptr<const Error> cause;

  /// One line: `<file>: <object>: <message> (byte <offset>): <cause>`; control characters escaped.
  [[nodiscard]] std::string describe() const;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// `return fail(ErrorCode::BadFile, "...", {path, key, offset});` works for every Result<T>.
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, std::string message, Where where = {});
/// Passes an error up unchanged: `if (!r) return pass(r);`
template <typename T>
[[nodiscard]] tl::unexpected<Error> pass(const Result<T>& result) {
  return tl::unexpected<Error>(result.error());
}
/// Passes an error up with a sentence of context in front of it (the old error becomes the cause).
[[nodiscard]] tl::unexpected<Error> pass_with(const Error& cause, std::string message, Where where = {});

/// Name of a code for JSON and logs: "bad_file", "out_of_space", ...
[[nodiscard]] const char* error_code_name(ErrorCode code);

/// `text` as plain one-line text: control and escape characters and invalid UTF-8 as \xNN, cut at
/// `limit` bytes with "...". For showing strings that come from files.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace bitlens
