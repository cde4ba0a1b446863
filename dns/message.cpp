#include "dns/message.hpp"

#include "dns/rdata.hpp"

namespace fairway::dns {

std::size_t Message::locate(std::size_t at, std::size_t skip) const noexcept {
    for (;;) {
        if (out_[at] > max_label) at = get16(out_ + at) & max_pointer;
        else if (skip == 0) return at;
        else {
            const std::size_t label = out_[at] + 1u;
            at += label;
            skip -= label;
        }
    }
}

void Message::relocate(std::uint8_t* record, std::size_t count, std::uint16_t type, OwnerAt owner) noexcept {
    const auto [skip, names] = compressible_names(type);
    for (; count; --count) {
        put16(record, pointer_mark | owner.offset);
        std::uint8_t* at = record + 12 + skip;
        for (unsigned n = 0; n < names; ++n) {
            while (*at && *at <= max_label) at += *at + 1u;
            if (*at == 0) {
                ++at;
                continue;
            }
            const std::size_t in_owner = (get16(at) & max_pointer) - header_size;
            put16(at, pointer_mark | locate(owner.offset, in_owner + owner.longer));
            at += 2;
        }
        record += 12 + get16(record + 10);
    }
}

bool Message::add(Section section, const std::uint8_t* wire, std::size_t size, std::size_t n,
                  std::uint16_t type, OwnerAt owner) noexcept {
    if (at_ + size > limit_) return false;
    std::memcpy(out_ + at_, wire, size);
    if (owner.offset != header_size || owner.longer) relocate(out_ + at_, n, type, owner);
    at_ += size;
    count(section, n);
    return true;
}

bool Message::add_cname(OwnerAt owner, std::uint32_t ttl, Bytes prefix, std::size_t tail) noexcept {
    if (at_ + 12 + prefix.size() + 2 > limit_) return false;
    std::uint8_t* const rr = out_ + at_;
    put16(rr, pointer_mark | owner.offset);
    put16(rr + 2, rrtype::cname);
    put16(rr + 4, class_in);
    put32(rr + 6, ttl);
    put16(rr + 10, prefix.size() + 2);
    std::memcpy(rr + 12, prefix.data(), prefix.size());
    put16(rr + 12 + prefix.size(), pointer_mark | tail);
    at_ += 14 + prefix.size();
    count(Section::answer, 1);
    return true;
}

} // namespace fairway::dns
