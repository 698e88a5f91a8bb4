#include "core/sensitivity/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "core/base/checksum.h"

namespace bitlens::sensitivity {

namespace {

constexpr std::array<char, 16> kMagic = {'b', 'i', 't', 'l', 'e', 'n', 's', '-',
                                         's', 't', 'a', 't', 'e', ' ', '1', '\n'};
/// The first bytes of a file that is being replaced.
constexpr std::array<char, 16> kNothing = {};
constexpr std::uint64_t kMostParts = std::uint64_t{1} << 20, kLongestKey = std::uint64_t{1} << 20;

/// Is this a file of ours, or one that has nothing in it?
bool is_state(int file, const struct stat& status) {
  std::array<char, kMagic.size()> start{};
  const std::int64_t got = pread_full(file, std::as_writable_bytes(std::span(start)), 0);
  return S_ISREG(status.st_mode) && (got == 0 || (got > 0 && (start == kMagic || start == kNothing)));
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::uint64_t checksum_of(StateFile::Bytes bytes) {
  Checksum checksum;
  checksum.update(bytes);
  return checksum.finish();
}

/// In front of the parts: the magic, these numbers, size and checksum of every part, the key, the checksum of
/// all that.
struct Head {
  std::uint64_t sequence = 0, parts = 0, key = 0;
};

std::uint64_t head_size(std::uint64_t parts, std::uint64_t key) {
  return kMagic.size() + sizeof(Head) + parts * 2 * sizeof(std::uint64_t) + key + sizeof(std::uint64_t);
}

template <typename T>
void append(std::vector<std::byte>& out, const T& value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

}  // namespace

std::string StateFile::file_of(const std::string& path, int which) {
  return fmt::format("{}.{}", path, which);
}

void StateFile::start() {
  last_ = now();
}

bool StateFile::due() const {
  return !keep_.path.empty() && !given_up_ && now() - last_ >= keep_.seconds;
}

void StateFile::save(std::span<const Bytes> parts) {
  if (keep_.path.empty() || given_up_) return;
  ++sequence_;
  if (const Status written = write(static_cast<int>(sequence_ % 2), parts); !written) {
    given_up_ = true;
    if (keep_.failed) keep_.failed(written.error());
  }
  last_ = now();
}

Status StateFile::write(int which, std::span<const Bytes> parts) {
  const std::string path = file_of(keep_.path, which);
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0666));
  if (!file.valid()) return fail_errno(errno, "open the state of unfinished work", path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno(errno, "look at", path);
  if (!is_state(file.get(), status))
    return fail(ErrorCode::Exists, "exists and is no state of unfinished work", {path, {}, {}});

  std::vector<std::byte> head;
  append(head, kMagic);
  append(head, Head{sequence_, parts.size(), keep_.key.size()});
  for (const Bytes part : parts) {
    append(head, std::uint64_t{part.size()});
    append(head, checksum_of(part));
  }
  const Bytes key = std::as_bytes(std::span(keep_.key));
  head.insert(head.end(), key.begin(), key.end());
  append(head, checksum_of(head));
  // From here until the head is written again the file counts as nothing.
  bool good = pwrite_full(file.get(), std::as_bytes(std::span(kNothing)), 0);
  std::uint64_t at = head.size();
  for (const Bytes part : parts) {
    good = good && pwrite_full(file.get(), part, at);
    at += part.size();
  }
  good = good && ::ftruncate(file.get(), static_cast<off_t>(at)) == 0 && pwrite_full(file.get(), head, 0);
  if (!good) return fail_errno(errno, "write the state of unfinished work", path);
  return {};
}

std::optional<StateFile::State> StateFile::look(int which) const {
  State state;
  state.file_ =
      UniqueFd(::open(file_of(keep_.path, which).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  struct stat status {};
  if (!state.file_.valid() || ::fstat(state.file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  const auto file_size = static_cast<std::uint64_t>(status.st_size);
  std::array<std::byte, kMagic.size() + sizeof(Head)> start{};
  if (pread_full(state.file_.get(), start, 0) != static_cast<std::int64_t>(start.size())) return {};
  Head head;
  std::memcpy(&head, start.data() + kMagic.size(), sizeof head);
  if (std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0 || head.parts > kMostParts ||
      head.key > kLongestKey || head_size(head.parts, head.key) > file_size)
    return {};
  std::vector<std::byte> all(head_size(head.parts, head.key));
  if (pread_full(state.file_.get(), all, 0) != static_cast<std::int64_t>(all.size())) return {};
  const Bytes checked = std::span(all).first(all.size() - sizeof(std::uint64_t));
  std::uint64_t checksum = 0;
  std::memcpy(&checksum, all.data() + checked.size(), sizeof checksum);
  const std::string key(reinterpret_cast<const char*>(all.data() + checked.size() - head.key), head.key);
  if (checksum != checksum_of(checked) || key != keep_.key) return {};
  std::uint64_t at = all.size();
  for (std::uint64_t part = 0; part < head.parts; ++part) {
    std::uint64_t numbers[2];
    std::memcpy(numbers, all.data() + start.size() + part * sizeof numbers, sizeof numbers);
    if (numbers[0] > file_size - at) return {};
    state.sizes_.push_back(numbers[0]);
    state.checksums_.push_back(numbers[1]);
    state.offsets_.push_back(at);
    at += numbers[0];
  }
  state.sequence_ = head.sequence;
  return state;
}

std::optional<StateFile::State> StateFile::newest() {
  if (keep_.path.empty()) return {};
  std::optional<State> newest;
  for (const int which : {0, 1})
    if (auto state = look(which); state && (!newest || state->sequence_ > newest->sequence_))
      newest = std::move(state);
  if (newest) sequence_ = newest->sequence_;  // what is saved next is newer and does not replace it
  return newest;
}

bool StateFile::State::read(std::size_t part, std::span<std::byte> target) const {
  return target.size() == sizes_[part] &&
         pread_full(file_.get(), target, offsets_[part]) == static_cast<std::int64_t>(target.size()) &&
         checksum_of(target) == checksums_[part];
}

void StateFile::remove() {
  if (keep_.path.empty()) return;
  for (const int which : {0, 1}) {
    const std::string path = file_of(keep_.path, which);
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    struct stat status {};
    if (file.valid() && ::fstat(file.get(), &status) == 0 && is_state(file.get(), status))
      ::unlink(path.c_str());
  }
}

}  // namespace bitlens::sensitivity
