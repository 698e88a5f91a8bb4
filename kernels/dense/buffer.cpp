#include "kernels/dense/buffer.h"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace bitlens::kernels {

namespace {

constexpr std::size_t kAlignment = 64;

#ifdef __linux__
/// A large page of every x86-64 and most 64-bit ARM kernels.
constexpr std::size_t kLargePage = std::size_t{2} << 20;

std::size_t alignment(std::size_t bytes) {
  return bytes >= kLargePage ? kLargePage : kAlignment;
}
#else
std::size_t alignment(std::size_t) {
  return kAlignment;
}
#endif

}  // namespace

void* allocate_numbers(std::size_t bytes) {
  void* memory = ::operator new(bytes, std::align_val_t{alignment(bytes)}, std::nothrow);
#ifdef __linux__
  // A wish: where it is not granted the pages are small and everything works, slower.
  if (memory != nullptr && bytes >= kLargePage)
    static_cast<void>(madvise(memory, bytes / kLargePage * kLargePage, MADV_HUGEPAGE));
#endif
  return memory;
}

void free_numbers(void* memory, std::size_t bytes) {
  ::operator delete(memory, std::align_val_t{alignment(bytes)});
}

}  // namespace bitlens::kernels
