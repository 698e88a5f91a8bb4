#include "core/report/hdf5_file.h"

#include <fmt/format.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "core/report/hdf5_handle.h"

namespace bitlens::report {

namespace {

// Smaller arrays are stored as they are: compressing them would make them larger.
constexpr std::uint64_t kCompressedBytes = 4096;
constexpr std::uint64_t kChunkBytes = 1U << 20U;
constexpr unsigned kDeflateLevel = 4;
constexpr unsigned kOrder = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

template <typename T>
hid_t native_type() {
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, std::int8_t>) return H5T_NATIVE_INT8;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
}
/// The same in the file: little-endian everywhere, so that the bytes do not depend on the machine.
template <typename T>
hid_t file_type() {
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
  if constexpr (std::is_same_v<T, float>) return H5T_IEEE_F32LE;
  if constexpr (std::is_same_v<T, std::int8_t>) return H5T_STD_I8LE;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_STD_I32LE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_STD_U64LE;
}

std::vector<const char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<const char*> pointers;
  for (const std::string& text : strings) pointers.push_back(text.c_str());
  return pointers;
}

std::string hash_of(const void* data, std::size_t bytes) {
  return sha256_hex({static_cast<const char*>(data), bytes});
}

/// Creation properties of a dataset: no time stamps, attribute order tracked, large ones in compressed
/// chunks.
Hid dataset_properties(const std::vector<std::uint64_t>& extent, std::size_t element_bytes, bool text) {
  Hid properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(properties.get(), 0);
  H5Pset_attr_creation_order(properties.get(), kOrder);
  std::uint64_t bytes = element_bytes;
  for (const std::uint64_t length : extent) bytes *= length;
  if (text || extent.empty() || bytes < kCompressedBytes) return properties;
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  // Whole rows per chunk, as many as make up about a megabyte.
  std::uint64_t inner = element_bytes;
  for (std::size_t i = 1; i < extent.size(); ++i) inner *= chunk[i] = extent[i];
  chunk[0] = std::clamp<std::uint64_t>(kChunkBytes / std::max<std::uint64_t>(inner, 1), 1, extent[0]);
  H5Pset_chunk(properties.get(), static_cast<int>(extent.size()), chunk.data());
  H5Pset_shuffle(properties.get());
  if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) H5Pset_deflate(properties.get(), kDeflateLevel);
  H5Pset_fletcher32(properties.get());
  return properties;
}

}  // namespace

std::size_t size_of(const Values& values) {
  return std::visit(
      [](const auto& held) {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, Flags>)
          return held.values.size();
        else
          return held.size();
      },
      values);
}

std::string report_text(std::string_view text) {
  std::string out;
  for (;;) {
    const auto end = text.find('\n');
    out += printable(text.substr(0, end), std::numeric_limits<std::size_t>::max());
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

struct Hdf5File::Handles {
  Hid file, group;
  std::map<std::string, Hid> scales;
};

Hdf5File::Hdf5File(const std::string& path) : path_(path), handles_(std::make_unique<Handles>()) {
  const auto lock = lock_hdf5();
  const QuietErrors quiet;
  const Hid creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  const Hid access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_link_creation_order(creation.get(), kOrder);
  H5Pset_attr_creation_order(creation.get(), kOrder);
  H5Pset_obj_track_times(creation.get(), 0);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  handles_->file = Hid(H5Fcreate(path.c_str(), H5F_ACC_EXCL, creation.get(), access.get()), H5Fclose);
  if (!handles_->file.valid()) fail_with("create the file");
}

Hdf5File::~Hdf5File() {
  const auto lock = lock_hdf5();
  const QuietErrors quiet;
  handles_.reset();
}

void Hdf5File::fail_with(const std::string& what) {
  if (failed()) return;
  auto [code, message] = last_hdf5_error();
  status_ = fail(code, fmt::format("cannot {} (HDF5: {})", what, message), {path_, {}, {}});
}

void Hdf5File::write_attribute(std::int64_t object, const Attribute& attribute) {
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        herr_t status = -1;
        if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<std::string>>) {
          std::vector<std::string> texts;
          if constexpr (std::is_same_v<T, std::string>)
            texts.push_back(report_text(value));
          else
            for (const std::string& text : value) texts.push_back(report_text(text));
          const auto pointers = pointers_to(texts);
          const hsize_t count = pointers.size();
          const Hid type = text_type();
          const Hid space(
              std::is_same_v<T, std::string> ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr),
              H5Sclose);
          const Hid id(
              H5Acreate2(object, attribute.name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
              H5Aclose);
          if (id.valid()) status = count > 0 ? H5Awrite(id.get(), type.get(), pointers.data()) : 0;
        } else {
          const hsize_t one = 1;
          const Hid space(H5Screate_simple(1, &one, nullptr), H5Sclose);
          const Hid id(H5Acreate2(object, attribute.name.c_str(), file_type<T>(), space.get(), H5P_DEFAULT,
                                  H5P_DEFAULT),
                       H5Aclose);
          if (id.valid()) status = H5Awrite(id.get(), native_type<T>(), &value);
        }
        if (status < 0) fail_with(fmt::format("write attribute {}/{}", group_, attribute.name));
      },
      attribute.value);
}

void Hdf5File::attributes(const std::vector<Attribute>& attributes) {
  if (failed()) return;
  const auto lock = lock_hdf5();
  const QuietErrors quiet;
  for (const Attribute& attribute : attributes) write_attribute(handles_->file.get(), attribute);
}

void Hdf5File::group(const std::string& name, const std::vector<Attribute>& attributes) {
  if (failed()) return;
  const auto lock = lock_hdf5();
  const QuietErrors quiet;
  handles_->scales.clear();
  lengths_.clear();
  group_ = "/" + name;
  const Hid creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  H5Pset_link_creation_order(creation.get(), kOrder);
  H5Pset_attr_creation_order(creation.get(), kOrder);
  H5Pset_obj_track_times(creation.get(), 0);
  handles_->group =
      Hid(H5Gcreate2(handles_->file.get(), name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Gclose);
  if (!handles_->group.valid()) return fail_with("make group " + group_);
  for (const Attribute& attribute : attributes) write_attribute(handles_->group.get(), attribute);
}

std::int64_t Hdf5File::write_dataset(const std::string& name, const std::vector<std::uint64_t>& extent,
                                     const Values& values) {
  std::vector<hsize_t> lengths(extent.begin(), extent.end());
  const Hid space(lengths.empty()
                      ? H5Screate(H5S_SCALAR)
                      : H5Screate_simple(static_cast<int>(lengths.size()), lengths.data(), nullptr),
                  H5Sclose);
  WrittenDataset written{group_ + "/" + name, extent, {}};
  hid_t dataset = -1;
  const auto write = [&](const auto& held, hid_t memory, hid_t stored, const void* data, bool text) {
    const Hid properties =
        dataset_properties(extent, sizeof(typename std::decay_t<decltype(held)>::value_type), text);
    dataset = H5Dcreate2(handles_->group.get(), name.c_str(), stored, space.get(), H5P_DEFAULT,
                         properties.get(), H5P_DEFAULT);
    if (dataset < 0 || held.empty()) return dataset >= 0;
    return H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
  };
  const bool good = std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          std::vector<std::string> texts;
          std::string all;
          for (const std::string& text : held) {
            texts.push_back(report_text(text));
            all.append(texts.back()).push_back('\0');
          }
          written.sha256 = sha256_hex(all);
          const auto pointers = pointers_to(texts);
          const Hid type = text_type();
          return write(pointers, type.get(), type.get(), pointers.data(), true);
        } else if constexpr (std::is_same_v<T, Flags>) {
          written.sha256 = hash_of(held.values.data(), held.values.size());
          return write(held.values, native_type<std::int8_t>(), file_type<std::int8_t>(), held.values.data(),
                       false);
        } else {
          using E = typename T::value_type;
          written.sha256 = hash_of(held.data(), held.size() * sizeof(E));
          return write(held, native_type<E>(), file_type<E>(), held.data(), false);
        }
      },
      values);
  if (!good) fail_with("write " + written.path);
  written_.push_back(std::move(written));
  return dataset;
}

void Hdf5File::dimension(const std::string& name, const Values& coordinates, const Description& description) {
  if (failed()) return;
  const auto lock = lock_hdf5();
  const QuietErrors quiet;
  lengths_[name] = size_of(coordinates);
  Hid dataset(write_dataset(name, {size_of(coordinates)}, coordinates), H5Dclose);
  if (failed()) return;
  if (H5DSset_scale(dataset.get(), name.c_str()) < 0)
    return fail_with("make a dimension of " + group_ + "/" + name);
  write_attribute(dataset.get(), {"long_name", description.long_name});
  if (!std::holds_alternative<std::vector<std::string>>(coordinates))
    write_attribute(dataset.get(), {"units", description.units});
  handles_->scales.emplace(name, std::move(dataset));
}

void Hdf5File::variable(const std::string& name, const std::vector<std::string>& dimensions,
                        const Values& values, const Description& description) {
  if (failed()) return;
  const auto lock = lock_hdf5();
  const QuietErrors quiet;
  std::vector<std::uint64_t> extent;
  std::uint64_t expected = 1;
  for (const std::string& dimension : dimensions) {
    extent.push_back(lengths_[dimension]);
    expected *= lengths_[dimension];
  }
  if (expected != size_of(values)) {
    status_ = fail(ErrorCode::InvalidArgument,
                   fmt::format("{}/{}: {} values for {} places", group_, name, size_of(values), expected),
                   {path_, {}, {}});
    return;
  }
  const Hid dataset(write_dataset(name, extent, values), H5Dclose);
  if (failed()) return;
  for (std::size_t i = 0; i < dimensions.size(); ++i)
    if (H5DSattach_scale(dataset.get(), handles_->scales.at(dimensions[i]).get(), static_cast<unsigned>(i)) <
        0)
      return fail_with("attach dimension " + dimensions[i] + " to " + group_ + "/" + name);
  write_attribute(dataset.get(), {"long_name", description.long_name});
  if (std::holds_alternative<Flags>(values))
    write_attribute(dataset.get(), {"dtype", std::string("bool")});
  else if (!std::holds_alternative<std::vector<std::string>>(values))
    write_attribute(dataset.get(), {"units", description.units});
  if (std::holds_alternative<std::vector<double>>(values))
    write_attribute(dataset.get(), {"_FillValue", std::numeric_limits<double>::quiet_NaN()});
}

Status Hdf5File::close() {
  const auto lock = lock_hdf5();
  const QuietErrors quiet;
  handles_->scales.clear();
  handles_->group = Hid();
  if (handles_->file.valid() && H5Fflush(handles_->file.get(), H5F_SCOPE_GLOBAL) < 0)
    fail_with("write the file");
  if (handles_->file.valid() && H5Fclose(handles_->file.release()) < 0) fail_with("close the file");
  return status_;
}

}  // namespace bitlens::report
