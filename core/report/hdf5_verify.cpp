// Handles and errors of the HDF5 library, and reading a written file back.
#include <fmt/format.h>

#include "core/report/hdf5_file.h"
#include "core/report/hdf5_handle.h"

namespace bitlens::report {

std::unique_lock<std::mutex> lock_hdf5() {
  static std::mutex mutex;
  return std::unique_lock(mutex);
}

QuietErrors::QuietErrors() {
  H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}
QuietErrors::~QuietErrors() {
  H5Eset_auto2(H5E_DEFAULT, print_, data_);
}

std::pair<ErrorCode, std::string> last_hdf5_error() {
  std::string message;
  // Upwards: from the place that failed to the call that was made.
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned number, const H5E_error2_t* error, void* target) -> herr_t {
        if (number == 0 && error->desc != nullptr) *static_cast<std::string*>(target) = error->desc;
        return 0;
      },
      &message);
  const bool full = message.find("No space left") != std::string::npos ||
                    message.find("Disk quota exceeded") != std::string::npos;
  return {full ? ErrorCode::OutOfSpace : ErrorCode::Io,
          message.empty() ? "unknown error" : printable(message)};
}

Hid text_type() {
  Hid type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

namespace {

/// Hash of a dataset's values as hdf5_file.cpp takes it, or nothing if it cannot be read.
std::string hash_of_dataset(hid_t dataset, std::uint64_t count) {
  const Hid type(H5Dget_type(dataset), H5Tclose);
  if (H5Tis_variable_str(type.get()) > 0) {
    std::vector<char*> texts(count, nullptr);
    const Hid memory = text_type();
    if (count > 0 && H5Dread(dataset, memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()) < 0)
      return {};
    std::string all;
    for (const char* text : texts) all.append(text != nullptr ? text : "").push_back('\0');
    const Hid space(H5Dget_space(dataset), H5Sclose);
    if (count > 0) H5Dvlen_reclaim(memory.get(), space.get(), H5P_DEFAULT, texts.data());
    return sha256_hex(all);
  }
  const Hid memory(H5Tget_native_type(type.get(), H5T_DIR_DEFAULT), H5Tclose);
  std::string bytes(count * H5Tget_size(memory.get()), '\0');
  if (count > 0 && H5Dread(dataset, memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) return {};
  return sha256_hex(bytes);
}

}  // namespace

Status verify_hdf5(const std::string& path, const std::vector<WrittenDataset>& written) {
  const auto lock = lock_hdf5();
  const QuietErrors quiet;
  const auto differs = [&](const std::string& object, const std::string& how) {
    return fail(ErrorCode::Io, "verification failed, the report is not published: " + how,
                {path, object, {}});
  };
  const Hid file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.valid()) return differs("", "it cannot be opened: " + last_hdf5_error().second);
  for (const WrittenDataset& expected : written) {
    const Hid dataset(H5Dopen2(file.get(), expected.path.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid()) return differs(expected.path, "it is missing");
    const Hid space(H5Dget_space(dataset.get()), H5Sclose);
    std::vector<hsize_t> extent(expected.extent.size());
    if (H5Sget_simple_extent_ndims(space.get()) != static_cast<int>(extent.size()) ||
        H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr) < 0 ||
        !std::equal(extent.begin(), extent.end(), expected.extent.begin()))
      return differs(expected.path, "its extent is not as written");
    const auto count = static_cast<std::uint64_t>(H5Sget_simple_extent_npoints(space.get()));
    if (hash_of_dataset(dataset.get(), count) != expected.sha256)
      return differs(expected.path, "its values read back are not those written");
  }
  return {};
}

}  // namespace bitlens::report
