// The answer being written: record sets are copied in and their pointers made to fit where the owner stands.
//
// Stored sets take their owner's name to be at offset 12. Where it is elsewhere (a CNAME's target, a name
// server's name) or longer than what is stored (a wildcard), each pointer is moved.
#pragma once

#include "dns/name_table.hpp"

#include <array>

namespace fairway::dns {

enum class Section : std::uint8_t { answer, authority, additional };

/// Where in the message a set's owner stands. `longer`: by how much its name there exceeds the stored one.
struct OwnerAt {
    std::uint16_t offset = header_size;
    std::uint8_t longer = 0;
};

class Message {
  public:
    /// Writes from `start` on and never beyond `limit`.
    Message(std::uint8_t* out, std::size_t start, std::size_t limit)
        : out_(out), at_(start), start_(start), limit_(limit) {}

    /// False: it does not fit; nothing is written then.
    bool add(Section section, const RrsetHeader& set, OwnerAt owner) noexcept {
        return add(section, set.wire(), set.size, set.count, set.type, owner);
    }
    bool add(Section section, const std::uint8_t* wire, std::size_t size, std::size_t count,
             std::uint16_t type, OwnerAt owner) noexcept;

    /// One record with a name of `prefix` labels followed by a pointer to `tail` as its data.
    bool add_cname(OwnerAt owner, std::uint32_t ttl, Bytes prefix, std::size_t tail) noexcept;

    /// The offset of what is left of the name at `at` once `skip` octets of it are taken away.
    std::size_t locate(std::size_t at, std::size_t skip) const noexcept;

    /// Takes back the last octets of what has been added, and `records` of their section with them.
    void shorten(std::size_t octets, Section section, std::size_t records) noexcept {
        at_ -= octets;
        auto& c = counts_[static_cast<std::size_t>(section)];
        c = static_cast<std::uint16_t>(c - records);
    }

    /// Takes back all that has been added.
    void clear() noexcept {
        at_ = start_;
        counts_ = {};
    }

    std::uint8_t* data() { return out_; }
    Bytes bytes() const { return {out_, at_}; }
    std::size_t size() const { return at_; }
    const std::array<std::uint16_t, 3>& counts() const { return counts_; }

  private:
    void relocate(std::uint8_t* record, std::size_t count, std::uint16_t type, OwnerAt owner) noexcept;
    void count(Section section, std::size_t n) {
        auto& c = counts_[static_cast<std::size_t>(section)];
        c = static_cast<std::uint16_t>(c + n);
    }

    std::uint8_t* out_;
    std::size_t at_, start_, limit_;
    std::array<std::uint16_t, 3> counts_{};
};

} // namespace fairway::dns
