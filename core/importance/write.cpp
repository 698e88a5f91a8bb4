#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "core/base/atomic_file.h"
#include "core/importance/imatrix.h"
#include "core/io/gguf_writer.h"

namespace bitlens::importance {

namespace {

std::vector<const ImatrixEntry*> by_name(const Imatrix& imatrix) {
  std::vector<const ImatrixEntry*> entries;
  for (const ImatrixEntry& entry : imatrix.entries) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const auto* a, const auto* b) { return a->tensor < b->tensor; });
  return entries;
}

Status write_gguf(const Imatrix& imatrix, const std::string& path, bool overwrite) {
  io::Metadata metadata;
  metadata.set("general.type", io::MetadataValue(std::string("imatrix")));
  metadata.set("imatrix.datasets", io::MetadataValue(io::MetadataArray(imatrix.datasets)));
  metadata.set("imatrix.chunk_count", io::MetadataValue(imatrix.chunk_count));
  metadata.set("imatrix.chunk_size", io::MetadataValue(imatrix.chunk_size));
  const auto entries = by_name(imatrix);
  std::vector<io::TensorPlan> plan;
  for (const ImatrixEntry* entry : entries) {
    plan.push_back({entry->tensor + ".in_sum2", {entry->columns, entry->matrices()}, kernels::Format::F32});
    plan.push_back({entry->tensor + ".counts", {1, entry->matrices()}, kernels::Format::F32});
  }
  auto writer = io::GgufWriter::create(path, std::move(metadata), plan, overwrite);
  if (!writer) return pass(writer);
  for (std::size_t e = 0; e < entries.size(); ++e) {
    if (auto status = (*writer)->write(2 * e, std::as_bytes(std::span(entries[e]->sums))); !status)
      return status;
    if (auto status = (*writer)->write(2 * e + 1, std::as_bytes(std::span(entries[e]->counts))); !status)
      return status;
  }
  if (auto status = (*writer)->finish(); !status) return status;
  return (*writer)->publish();
}

void put(std::string& out, std::int32_t number) {
  char raw[sizeof number];
  std::memcpy(raw, &number, sizeof number);
  out.append(raw, sizeof raw);
}

Result<std::string> dat_bytes(const Imatrix& imatrix) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max());
  std::string out;
  put(out, static_cast<std::int32_t>(imatrix.entries.size()));
  for (const ImatrixEntry* entry : by_name(imatrix)) {
    if (entry->sums.size() > kMax)
      return fail(ErrorCode::Unsupported, "too many values for the .dat format", {{}, entry->tensor, {}});
    put(out, static_cast<std::int32_t>(entry->tensor.size()));
    out += entry->tensor;
    // "Calls" are windows in the files of the field's tool: the largest count in windows, rounded up.
    const float most = *std::max_element(entry->counts.begin(), entry->counts.end());
    const float chunk = imatrix.chunk_size > 0 ? static_cast<float>(imatrix.chunk_size) : 1.0F;
    const float calls = std::clamp(std::ceil(most / chunk), 1.0F, 1.0e9F);
    put(out, static_cast<std::int32_t>(calls));
    put(out, static_cast<std::int32_t>(entry->sums.size()));
    for (std::size_t i = 0; i < entry->sums.size(); ++i) {
      const float count = entry->counts[i / entry->columns];
      // Nothing is known of an expert that was never reached: all its columns count the same.
      const float mean = count > 0 ? entry->sums[i] / count : 1.0F;
      const float value = mean * calls;
      char raw[sizeof value];
      std::memcpy(raw, &value, sizeof value);
      out.append(raw, sizeof raw);
    }
  }
  const std::string dataset = imatrix.datasets.empty() ? std::string() : imatrix.datasets.back();
  put(out, static_cast<std::int32_t>(std::min<std::uint64_t>(imatrix.chunk_count, kMax)));
  put(out, static_cast<std::int32_t>(dataset.size()));
  return out + dataset;
}

}  // namespace

Status write_imatrix(const Imatrix& imatrix, const std::string& path, ImatrixFormat format, bool overwrite) {
  try {
    if (format == ImatrixFormat::Gguf) return write_gguf(imatrix, path, overwrite);
    const auto bytes = dat_bytes(imatrix);
    if (!bytes) return pass(bytes);
    return write_file_atomically(path, *bytes, overwrite);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory to write the importance matrix", {path, {}, {}});
  }
}

}  // namespace bitlens::importance
