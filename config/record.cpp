#include "config/record.hpp"

#include <cassert>
#include <limits>

namespace fairway {
namespace {

constexpr std::size_t head = 9; // owner length 1, type 2, TTL 4, rdata length 2

std::uint32_t read(const std::uint8_t* p, int octets) {
    std::uint32_t n = 0;
    for (int i = 0; i < octets; ++i) n = n << 8 | p[i];
    return n;
}

void write(std::vector<std::uint8_t>& to, std::uint32_t n, int octets) {
    for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8)
        to.push_back(static_cast<std::uint8_t>(n >> shift));
}

} // namespace

void Records::append(const Name& owner, std::uint16_t type, std::uint32_t ttl,
                     std::span<const std::uint8_t> rdata) {
    assert(rdata.size() <= 0xffff && buffer_.size() <= std::numeric_limits<std::uint32_t>::max());
    const auto name = owner.wire();
    offsets_.push_back(static_cast<std::uint32_t>(buffer_.size()));
    write(buffer_, static_cast<std::uint32_t>(name.size()), 1);
    write(buffer_, type, 2);
    write(buffer_, ttl, 4);
    write(buffer_, static_cast<std::uint32_t>(rdata.size()), 2);
    buffer_.insert(buffer_.end(), name.begin(), name.end());
    buffer_.insert(buffer_.end(), rdata.begin(), rdata.end());
}

RecordView Records::operator[](std::size_t i) const {
    const std::uint8_t* p = buffer_.data() + offsets_[i];
    const std::size_t owner = p[0];
    return {{p + head, owner},
            static_cast<std::uint16_t>(read(p + 1, 2)),
            read(p + 3, 4),
            {p + head + owner, read(p + 7, 2)}};
}

} // namespace fairway
