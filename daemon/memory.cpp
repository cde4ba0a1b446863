#include "daemon/memory.hpp"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace fairway::daemon {
namespace {

// Segments that are not writable have never been written to: what is dropped is as it is in the file.
int drop_pages(dl_phdr_info* object, std::size_t, void*) {
    const auto page = static_cast<ElfW(Addr)>(getpagesize());
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || segment.p_flags & PF_W) continue;
        const ElfW(Addr) from = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
        const ElfW(Addr) to = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
        madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
    }
    return 0;
}

} // namespace

void give_back_memory() {
    malloc_trim(0);
    dl_iterate_phdr(drop_pages, nullptr);
}

void give_back_large_blocks() { mallopt(M_MMAP_THRESHOLD, 1 << 20); }

} // namespace fairway::daemon
