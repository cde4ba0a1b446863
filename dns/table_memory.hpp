// One block of memory for a table that is read at random: from 2 MiB on in huge pages, because a look at one
// of its names would else mostly begin with a walk through the page tables (under a hypervisor, through two).
//
// Pages that are never written cost nothing; what a huge page holds beyond the end is given back by trim().
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace fairway::dns {

class TableMemory {
  public:
    TableMemory() = default;
    explicit TableMemory(std::size_t size); ///< throws std::bad_alloc
    TableMemory(TableMemory&& o) noexcept
        : data_(std::exchange(o.data_, nullptr)), size_(o.size_), mapped_(o.mapped_) {}
    TableMemory& operator=(TableMemory&& o) noexcept {
        std::swap(data_, o.data_);
        std::swap(size_, o.size_);
        std::swap(mapped_, o.mapped_);
        return *this;
    }
    ~TableMemory();

    std::uint8_t* data() const { return data_; }
    void trim(std::size_t used); ///< nothing beyond `used` octets is looked at any more

  private:
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
    bool mapped_ = false;
};

} // namespace fairway::dns
