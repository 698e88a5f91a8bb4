// Damaged files, made from a valid one in every systematic way and then at random from fixed seeds. Whatever
// the bytes, opening returns, and every tensor of a file that opens can be read. The sanitizer build gives
// this its teeth.
#include <sys/mman.h>
#include <unistd.h>

#include <QTest>
#include <random>

#include "core/io/model_file.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens;
using namespace bitlens::test;

namespace {

/// What becomes of the bytes: "opened", or the error's code. The file lives in memory: there are many.
std::string try_bytes(const std::string& bytes) {
  const struct MemoryFile {
    int fd = ::memfd_create("mutant", MFD_CLOEXEC);
    ~MemoryFile() { ::close(fd); }
  } memory;
  if (::write(memory.fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    return "not written";
  const auto opened = io::open_gguf("/proc/self/fd/" + std::to_string(memory.fd));
  if (!opened) {
    const std::string text = opened.error().describe();
    if (text.empty() || text.find('\n') != std::string::npos) return "bad message";
    return error_code_name(opened.error().code);
  }
  const io::ModelFile& file = **opened;
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const io::TensorInfo& tensor = file.tensors()[i];
    std::vector<std::byte> data(tensor.bytes);
    if (!file.read(i, 0, data)) return "unreadable";
    if (tensor.rows() * tensor.row_bytes() != tensor.bytes) return "wrong size";
    std::vector<float> values(tensor.elements());
    const Status decoded = io::decode_rows(file, i, 0, tensor.rows(), values.data());
    if (!decoded && decoded.error().code != ErrorCode::Unsupported) return "undecodable";
  }
  return "opened";
}

bool acceptable(const std::string& outcome) {
  return outcome == "opened" || outcome == "bad_file" || outcome == "unsupported";
}

// Numbers that sit on the edges of checks.
const std::vector<std::uint64_t> edges = {
    0,          1,          2,          7,          8,          31,         32,         33,
    63,         64,         255,        256,        0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32,
    1ULL << 61, 1ULL << 62, 1ULL << 63, ~0ULL - 31, ~0ULL - 7,  ~0ULL - 1,  ~0ULL};

}  // namespace

class TestIoMutations : public QObject {
  Q_OBJECT

 private slots:
  void everyTruncation() {
    const std::string whole = sample_gguf().bytes();
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const std::string outcome = try_bytes(whole.substr(0, length));
      // Only the padding after the last tensor may be missing.
      if (length + 32 <= whole.size()) QVERIFY2(outcome == "bad_file", std::to_string(length).c_str());
      QVERIFY2(acceptable(outcome), (outcome + " at " + std::to_string(length)).c_str());
    }
    QCOMPARE(try_bytes(whole), std::string("opened"));
  }

  void everyBitFlip() {
    std::string bytes = sample_gguf().bytes();
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      const auto mask = static_cast<char>(1 << (bit % 8));
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
      const std::string outcome = try_bytes(bytes);
      QVERIFY2(acceptable(outcome), (outcome + " at bit " + std::to_string(bit)).c_str());
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    }
  }

  void everyWordAnEdge() {
    const std::string whole = sample_gguf().bytes();
    const std::size_t header = sample_gguf().header().size();
    for (std::size_t at = 4; at + 8 <= header; ++at) {
      const std::uint64_t edge = edges[at % edges.size()];
      for (const std::size_t width : {4U, 8U}) {
        std::string bytes = whole;
        std::memcpy(bytes.data() + at, &edge, width);
        const std::string outcome = try_bytes(bytes);
        QVERIFY2(acceptable(outcome), (outcome + " at " + std::to_string(at)).c_str());
      }
    }
  }

  void randomMutants_data() {
    QTest::addColumn<unsigned>("seed");
    for (unsigned seed = 1; seed <= 4; ++seed) QTest::addRow("seed %u", seed) << seed;
  }
  void randomMutants() {
    QFETCH(unsigned, seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t bound) { return random() % bound; };
    const std::string whole = sample_gguf().bytes();
    int opened = 0;
    for (int round = 0; round < 1500; ++round) {
      std::string bytes = whole;
      for (std::size_t change = 1 + below(4); change > 0; --change) {
        const std::size_t at = below(bytes.size() - 8);
        const std::uint64_t edge = edges[below(edges.size())];
        switch (below(6)) {
          case 0:
            bytes[at] = static_cast<char>(random());
            break;
          case 1:
            std::memcpy(bytes.data() + at, &edge, 4);
            break;
          case 2:
            std::memcpy(bytes.data() + at, &edge, 8);
            break;
          case 3:
            bytes.erase(at, below(40));
            break;
          case 4:
            bytes.insert(at, bytes, below(bytes.size()), below(64));
            break;
          default:
            bytes[at] = static_cast<char>(bytes[at] + 1);
            break;
        }
        if (bytes.size() < 64) bytes.resize(64);
      }
      const std::string outcome = try_bytes(bytes);
      QVERIFY2(acceptable(outcome), (outcome + " in round " + std::to_string(round)).c_str());
      if (outcome == "opened") ++opened;
    }
    QVERIFY(opened > 50);  // the mutants are not all refused at the door
  }
};

QTEST_APPLESS_MAIN(TestIoMutations)
#include "tst_io_mutations.moc"
