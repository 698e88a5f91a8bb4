// Writing an HDF5 file that h5netcdf and netCDF4 understand: creation order tracked everywhere, a dimension
// scale on every axis, scalar and text attributes only, text as variable-length UTF-8. Over the library's C
// interface.
//
// Errors are sticky: after the first one every call does nothing, and close() returns it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"

namespace bitlens::report {

using AttributeValue = std::variant<std::string, std::vector<std::string>, double, std::int64_t>;
struct Attribute {
  std::string name;
  AttributeValue value;
};

/// What a variable is, for people: CF's long_name and units ("1" for ratios and counts).
struct Description {
  std::string long_name;
  std::string units = "1";
};

/// Flags, stored as int8 and read back as bool by xarray.
struct Flags {
  std::vector<std::int8_t> values;
};
using Values =
    std::variant<std::vector<double>, std::vector<float>, std::vector<std::int32_t>,
                 std::vector<std::int64_t>, std::vector<std::uint64_t>, std::vector<std::string>, Flags>;
[[nodiscard]] std::size_t size_of(const Values& values);

/// What was written where, to be compared with what is read back.
struct WrittenDataset {
  std::string path;
  std::vector<std::uint64_t> extent;
  std::string sha256;  ///< of the values (of text: of all strings, each with a zero byte behind it)
};

class Hdf5File {
 public:
  /// Creates a new file; Exists if there is one of that name.
  explicit Hdf5File(const std::string& path);
  ~Hdf5File();
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  /// Attributes of the file as a whole. Each attribute is written once and never changed (the library
  /// mishandles changes once there are more than eight and their order is tracked).
  void attributes(const std::vector<Attribute>& attributes);
  /// Makes a group and enters it: dimensions and variables that follow belong to it.
  void group(const std::string& name, const std::vector<Attribute>& attributes);
  /// A named axis with its coordinates; length and type are theirs.
  void dimension(const std::string& name, const Values& coordinates, const Description& description);
  /// An array over dimensions of this group (none: a scalar). Doubles that are missing are NaN.
  void variable(const std::string& name, const std::vector<std::string>& dimensions, const Values& values,
                const Description& description);

  /// Closes the file. The first error, if there was one.
  [[nodiscard]] Status close();
  [[nodiscard]] const std::vector<WrittenDataset>& written() const { return written_; }

 private:
  struct Handles;
  void fail_with(const std::string& what);
  [[nodiscard]] bool failed() const { return !status_.has_value(); }
  void write_attribute(std::int64_t object, const Attribute& attribute);
  std::int64_t write_dataset(const std::string& name, const std::vector<std::uint64_t>& extent,
                             const Values& values);

  std::string path_, group_;
  std::unique_ptr<Handles> handles_;
  std::map<std::string, std::uint64_t> lengths_;  // of the current group's dimensions
  std::vector<WrittenDataset> written_;
  Status status_;
};

/// Opens a finished file and compares every dataset with what was written. Io, naming the dataset.
[[nodiscard]] Status verify_hdf5(const std::string& path, const std::vector<WrittenDataset>& written);

/// Valid UTF-8 whatever comes in: invalid bytes and control characters but line breaks as \xNN.
[[nodiscard]] std::string report_text(std::string_view text);

}  // namespace bitlens::report
