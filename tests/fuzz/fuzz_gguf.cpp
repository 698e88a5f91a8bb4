// libFuzzer target: any bytes as a GGUF file. A file that opens must also be readable, decodable and
// plannable.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/io/gguf_writer.h"
#include "core/io/model_file.h"

using namespace bitlens;

namespace {

void check(bool condition) {
  if (!condition) std::abort();
}

void use(const io::ModelFile& file) {
  std::vector<io::TensorPlan> plan;
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const io::TensorInfo& tensor = file.tensors()[i];
    check(tensor.rows() * tensor.row_bytes() == tensor.bytes);
    check(file.find_tensor(tensor.name) == i);
    std::vector<std::byte> data(tensor.bytes);
    check(file.read(i, 0, data).has_value());
    std::vector<float> values(tensor.elements());
    const Status decoded = io::decode_rows(file, i, 0, tensor.rows(), values.data());
    check(decoded || decoded.error().code == ErrorCode::Unsupported);
    plan.push_back({tensor.name, tensor.shape, tensor.format});
  }
  // What opens can be written again.
  check(io::plan_gguf(file.metadata(), plan).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int fd = ::memfd_create("fuzz", MFD_CLOEXEC);
  check(fd >= 0 && ::write(fd, data, size) == static_cast<ssize_t>(size));
  const auto opened = io::open_gguf("/proc/self/fd/" + std::to_string(fd));
  if (opened)
    use(**opened);
  else
    check(opened.error().describe().find('\n') == std::string::npos);
  ::close(fd);
  return 0;
}
