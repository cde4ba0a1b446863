#include "dns/address_hints.hpp"

#include "dns/folded_name.hpp"

namespace fairway::dns {
namespace {

enum Key : std::uint16_t { mandatory = 0, ipv4hint = 4, ipv6hint = 6 };

std::size_t size_of(std::uint16_t key) { return key == ipv4hint ? 4 : 16; }

// Where the parameters begin; the length of the data if they are not to be found.
std::size_t parameters_at(Bytes rdata) noexcept {
    const std::size_t name = rdata.size() > 2 ? name_length(rdata.subspan(2)) : 0;
    return name == 0 ? rdata.size() : 2 + name;
}

// Octets of the parameter at `at`, its key and length included; 0 if there is no whole one.
std::size_t parameter(Bytes rdata, std::size_t at) noexcept {
    if (at + 4 > rdata.size()) return 0;
    const std::size_t size = 4u + get16(rdata.data() + at + 2);
    return at + size > rdata.size() ? 0 : size;
}

bool answered(const std::uint8_t* address, std::size_t size, Bytes records) noexcept {
    const std::size_t record = 12 + size;
    for (std::size_t at = 0; at + record <= records.size(); at += record)
        if (std::memcmp(records.data() + at + 12, address, size) == 0) return true;
    return false;
}

// The parameter written at `to`, without the addresses that are not answered; its length, 0 without any left.
std::size_t filter(std::uint8_t* to, const std::uint8_t* from, std::size_t length, Bytes records) noexcept {
    const std::size_t size = size_of(get16(from));
    std::size_t kept = 4;
    std::memmove(to, from, 4);
    for (std::size_t at = 4; at + size <= length; at += size) {
        if (!answered(from + at, size, records)) continue;
        std::memmove(to + kept, from + at, size);
        kept += size;
    }
    put16(to + 2, kept - 4);
    return kept == 4 ? 0 : kept;
}

bool is_mandatory(Bytes rdata, std::uint16_t key) noexcept {
    const std::size_t at = parameters_at(rdata);
    if (parameter(rdata, at) == 0 || get16(rdata.data() + at) != mandatory)
        return false; // it is the lowest key
    for (std::size_t i = at + 4; i + 2 <= at + parameter(rdata, at); i += 2)
        if (get16(rdata.data() + i) == key) return true;
    return false;
}

} // namespace

bool has_address_hints(Bytes rdata) noexcept {
    std::size_t at = parameters_at(rdata);
    while (const std::size_t size = parameter(rdata, at)) {
        const std::uint16_t key = get16(rdata.data() + at);
        if (key == ipv4hint || key == ipv6hint) return true;
        at += size;
    }
    return false;
}

std::size_t keep_address_hints(std::span<std::uint8_t> rdata, Bytes v4, Bytes v6) noexcept {
    std::size_t from = parameters_at(rdata), to = from;
    while (const std::size_t size = parameter(rdata, from)) {
        const std::uint16_t key = get16(rdata.data() + from);
        std::size_t kept = size;
        if (key == ipv4hint || key == ipv6hint) {
            kept = filter(rdata.data() + to, rdata.data() + from, size, key == ipv4hint ? v4 : v6);
            if (kept == 0 && is_mandatory(rdata.first(from), key)) return 0;
        } else {
            std::memmove(rdata.data() + to, rdata.data() + from, size);
        }
        to += kept;
        from += size;
    }
    return to;
}

} // namespace fairway::dns
