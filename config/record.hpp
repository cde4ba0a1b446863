// Resource records in wire form, packed: what zone files and `records:` become before they are compiled.
#pragma once

#include "config/name.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairway {

/// The types this code names; any other type is carried by its number (RFC 3597).
namespace rrtype {
inline constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28,
                               srv = 33, naptr = 35, dname = 39, opt = 41, ds = 43, sshfp = 44, rrsig = 46,
                               nsec = 47, dnskey = 48, tlsa = 52, svcb = 64, https = 65, ixfr = 251, axfr = 252,
                               any = 255, caa = 257;
}

/// A record looked at where it lies. Valid while its Records is not appended to.
struct RecordView {
    std::span<const std::uint8_t> owner; ///< wire form, lower case
    std::uint16_t type;
    std::uint32_t ttl; ///< seconds
    std::span<const std::uint8_t> rdata; ///< uncompressed
};

/// Records of class IN, back to back in one buffer: a zone of 200,000 records is one allocation.
class Records {
  public:
    void append(const Name& owner, std::uint16_t type, std::uint32_t ttl, std::span<const std::uint8_t> rdata);
    std::size_t size() const { return offsets_.size(); }
    bool empty() const { return offsets_.empty(); }
    RecordView operator[](std::size_t i) const;
    std::size_t bytes() const { return buffer_.size(); }
    bool operator==(const Records&) const = default;

  private:
    std::vector<std::uint8_t> buffer_; // per record: owner length 1, type 2, ttl 4, rdata length 2, owner, rdata
    std::vector<std::uint32_t> offsets_;
};

} // namespace fairway
