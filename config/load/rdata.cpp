#include "config/load/rdata.hpp"

#include "config/address.hpp"
#include "config/load/service_binding.hpp"
#include "config/load/zone_lines.hpp"
#include "config/record.hpp"

#include <ldns/error.h>
#include <ldns/rr.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace fairway::load {
namespace {

using Type = std::uint16_t;

struct FreeRr {
    void operator()(ldns_rr* rr) const { ldns_rr_free(rr); }
};
struct FreeRdf {
    void operator()(ldns_rdf* rdf) const { ldns_rdf_deep_free(rdf); }
};

/// How ldns is told the type: by its number, so that no spelling is lost on the way.
std::string type_word(Type type) {
    const char* known = ldns_rr_descript(type)->_name;
    return known ? known : "TYPE" + std::to_string(type);
}

/// ldns takes 70000 for a 16-bit field and keeps the lower bits, so look before it does.
bool numbers_fit(Type type, std::string_view data, std::string& error) {
    const ldns_rr_descriptor* d = ldns_rr_descript(type);
    std::string_view rest = data;
    for (std::size_t i = 0; i < ldns_rr_descriptor_minimum(d); ++i) {
        const std::string_view word = take_word(rest);
        const ldns_rdf_type field = ldns_rr_descriptor_field_type(d, i);
        if (i == 0 && word == "\\#") return true; // RFC 3597: no fields to look at
        if (field != LDNS_RDF_TYPE_INT8 && field != LDNS_RDF_TYPE_INT16) continue;
        std::uint64_t n = 0;
        auto [end, wrong] = std::from_chars(word.data(), word.data() + word.size(), n);
        const std::uint64_t most = field == LDNS_RDF_TYPE_INT8 ? 255 : 65535;
        if (wrong != std::errc{} || end != word.data() + word.size() || n > most) {
            error = "expected a number up to " + std::to_string(most) + ", found `" + std::string(word) + '`';
            return false;
        }
    }
    return true;
}

/// Most records are addresses; one written in the usual way needs no ldns, which takes ten times as long.
std::optional<IpAddress> plain_address(Type type, std::string_view data) {
    if (type != rrtype::a && type != rrtype::aaaa) return std::nullopt;
    const std::string_view word = take_word(data);
    const auto address = IpAddress::parse(word);
    const bool fits = address && (address->family == Family::v4) == (type == rrtype::a);
    return fits && take_word(data).empty() ? address : std::nullopt;
}

} // namespace

struct RdataReader::Impl {
    Name name;
    std::unique_ptr<ldns_rdf, FreeRdf> origin; ///< the same
    std::string line;
    std::vector<std::uint8_t> wire;
};

RdataReader::RdataReader(const Name& origin) : impl_(std::make_unique<Impl>()) { set_origin(origin); }
RdataReader::~RdataReader() = default;

void RdataReader::set_origin(const Name& origin) {
    impl_->name = origin;
    impl_->origin.reset(
        ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, origin.wire().size(), origin.wire().data()));
}

std::optional<std::span<const std::uint8_t>> RdataReader::read(std::uint16_t type, std::string_view data,
                                                               std::string& error) {
    if (const auto address = plain_address(type, data)) {
        impl_->wire.assign(address->bytes.begin(),
                           address->bytes.begin() + static_cast<int>(address->size()));
        return impl_->wire;
    }
    std::string_view rest = data;
    if ((type == rrtype::svcb || type == rrtype::https) && take_word(rest) != "\\#") {
        auto wire = parse_service_binding(data, impl_->name, error);
        if (!wire) return std::nullopt;
        impl_->wire = std::move(*wire);
        return impl_->wire;
    }
    if (!numbers_fit(type, data, error)) return std::nullopt;
    impl_->line.assign(". 0 IN ").append(type_word(type)).append(" ").append(data);
    ldns_rr* made = nullptr;
    const ldns_status status =
        ldns_rr_new_frm_str(&made, impl_->line.c_str(), 0, impl_->origin.get(), nullptr);
    const std::unique_ptr<ldns_rr, FreeRr> rr(made);
    if (status != LDNS_STATUS_OK) {
        error = ldns_get_errorstr_by_id(status);
        return std::nullopt;
    }
    impl_->wire.clear();
    for (std::size_t i = 0; i < ldns_rr_rd_count(rr.get()); ++i) {
        const ldns_rdf* field = ldns_rr_rdf(rr.get(), i);
        impl_->wire.insert(impl_->wire.end(), ldns_rdf_data(field),
                           ldns_rdf_data(field) + ldns_rdf_size(field));
    }
    if (impl_->wire.size() > 65535) {
        error = "more than 65535 octets of data";
        return std::nullopt;
    }
    return impl_->wire;
}

std::optional<std::uint16_t> record_type(std::string_view word) {
    const std::string z(word.substr(0, 32)); // longer than any type's name
    const auto type = static_cast<std::uint16_t>(ldns_get_rr_type_by_name(z.c_str()));
    const bool meta =
        type == LDNS_RR_TYPE_OPT || (type >= 128 && type <= 255); // RFC 6895 section 3.1: questions only
    const bool numbered = z.size() > 4 && (z.starts_with("TYPE") || z.starts_with("type"));
    if (type == 0 || meta || (numbered && z.substr(4) != std::to_string(type))) return std::nullopt;
    return type;
}

std::span<const std::string_view> common_types() {
    static constexpr std::string_view types[] = {"A",     "AAAA", "CAA",   "CNAME", "DNAME", "DS",
                                                 "HTTPS", "LOC",  "MX",    "NAPTR", "NS",    "PTR",
                                                 "SOA",   "SRV",  "SSHFP", "SVCB",  "TLSA",  "TXT"};
    return types;
}

} // namespace fairway::load
