#include "dns/table_memory.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace fairway::dns {
namespace {

constexpr std::size_t huge = 2 << 20; // a huge page of x86-64, and of arm64 with pages of 4 KiB
constexpr std::size_t line = 64;
constexpr std::size_t page = 4096; // at least: where pages are larger, giving back may fail, and that is all

std::size_t round_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

// Where a huge page begins: so much more is mapped that there is one, and unmapped again before and after.
std::uint8_t* map_aligned(std::size_t size) {
    void* const p = mmap(nullptr, size + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    auto* const mapped = static_cast<std::uint8_t*>(p);
    const auto start = reinterpret_cast<std::uintptr_t>(p);
    const std::size_t before = round_up(start, huge) - start;
    if (before) munmap(mapped, before);
    if (before < huge) munmap(mapped + before + size, huge - before);
    return mapped + before;
}

} // namespace

TableMemory::TableMemory(std::size_t size) : mapped_(size >= huge) {
    size_ = mapped_ ? round_up(size, page) : size;
    data_ = mapped_ ? map_aligned(size_)
                    : static_cast<std::uint8_t*>(std::aligned_alloc(line, round_up(size_, line)));
    if (!data_) throw std::bad_alloc();
    if (mapped_) madvise(data_, size_, MADV_HUGEPAGE); // where the kernel has none it does without
}

TableMemory::~TableMemory() {
    if (!mapped_) std::free(data_);
    else if (data_) munmap(data_, size_);
}

void TableMemory::trim(std::size_t used) {
    const std::size_t kept = round_up(used, page);
    if (!mapped_ || kept >= size_ || munmap(data_ + kept, size_ - kept)) return;
    size_ = kept;
}

} // namespace fairway::dns
