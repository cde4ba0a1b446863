#include "config/load/zone_builder.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace fairway::load {
namespace {

std::string_view text_of(std::span<const std::uint8_t> octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

bool same(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
    return text_of(a) == text_of(b);
}

std::uint32_t last_word(std::span<const std::uint8_t> rdata) {
    const std::uint8_t* p = rdata.data() + rdata.size() - 4;
    return static_cast<std::uint32_t>(p[0]) << 24 | static_cast<std::uint32_t>(p[1] << 16 | p[2] << 8 | p[3]);
}

/// What may stand beside a CNAME (RFC 4034 sections 3 and 4).
bool beside_cname(std::uint16_t type) { return type == rrtype::rrsig || type == rrtype::nsec; }

std::uint64_t hash_of(const RecordView& r) {
    const std::hash<std::string_view> h;
    return (h(text_of(r.owner)) * 31 + r.type) * 1099511628211ULL + h(text_of(r.rdata));
}

} // namespace

void ZoneBuilder::add(const Name& owner, std::uint16_t type, std::uint32_t ttl,
                      std::span<const std::uint8_t> rdata, const std::shared_ptr<const std::string>& file,
                      int line, int column) {
    if (files_.empty() || files_.back() != file) files_.push_back(file);
    const Place place{file ? *file : std::string(), line, column};
    if (!owner.is_under(name_))
        return problems_.error(place, owner.to_string() + " is outside the zone " + name_.to_string());
    if (type == rrtype::soa && owner != name_)
        return problems_.error(place,
                               "a SOA record belongs at the zone's own name, not at " + owner.to_string());
    if (type == rrtype::soa && has(rrtype::soa))
        return problems_.error(place, "a second SOA record; the first is at " + soa_.to_string());
    if (owner == name_) {
        if (type == rrtype::soa) soa_ = place;
        note_apex(type, ttl, rdata);
    }
    records_.append(owner, type, ttl, rdata);
    origins_.push_back({static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column),
                        static_cast<std::uint16_t>(files_.size() - 1)});
}

void ZoneBuilder::note_apex(std::uint16_t type, std::uint32_t ttl, std::span<const std::uint8_t> rdata) {
    apex_types_.insert(type);
    if (type == rrtype::ns) ++name_servers_;
    if (type == rrtype::soa) negative_ttl_ = std::min(ttl, last_word(rdata));
}

bool ZoneBuilder::has(std::uint16_t type) const { return apex_types_.contains(type); }

Place ZoneBuilder::place_of(std::size_t record) const {
    const Origin& o = origins_[record];
    const auto& file = files_[o.file];
    return {file ? *file : std::string(), static_cast<int>(o.line), static_cast<int>(o.column)};
}

void ZoneBuilder::check_cnames() {
    std::unordered_map<std::string_view, std::size_t> cnames;
    for (std::size_t i = 0; i < records_.size(); ++i)
        if (records_[i].type == rrtype::cname) cnames.try_emplace(text_of(records_[i].owner), i);
    for (std::size_t i = 0; !cnames.empty() && i < records_.size(); ++i) {
        const RecordView r = records_[i];
        const auto it = cnames.find(text_of(r.owner));
        if (it == cnames.end() || it->second == i || beside_cname(r.type)) continue;
        if (r.type == rrtype::cname && same(r.rdata, records_[it->second].rdata))
            continue; // given twice, no more
        problems_.error(place_of(i),
                        Name::from_wire(r.owner)->to_string() +
                            " has a CNAME, and nothing else may stand beside it; the CNAME is at " +
                            place_of(it->second).to_string());
    }
}

void ZoneBuilder::check_service(const Name& service, const Place& place, std::size_t record) {
    const std::uint16_t type = records_[record].type;
    if (type != rrtype::a && type != rrtype::aaaa && type != rrtype::cname) return;
    problems_.error(place_of(record), service.to_string() + " is a service (" + place.to_string() +
                                          ") and cannot have addresses or a CNAME of its own");
}

void ZoneBuilder::check_services(const std::map<Name, Place>& services) {
    std::set<Name> cuts;
    for (std::size_t i = 0; i < records_.size() && !services.empty(); ++i) {
        const RecordView r = records_[i];
        const bool cut = r.type == rrtype::ns && !same(r.owner, name_.wire());
        if (!cut && r.type != rrtype::a && r.type != rrtype::aaaa && r.type != rrtype::cname) continue;
        const Name owner = *Name::from_wire(r.owner);
        if (cut) cuts.insert(owner);
        if (auto it = services.find(owner); it != services.end()) check_service(owner, it->second, i);
    }
    for (const auto& [service, place] : services)
        for (Name n = service; !cuts.empty() && n.labels() > name_.labels(); n = n.parent())
            if (cuts.contains(n))
                problems_.error(place, service.to_string() + " lies under the delegation " + n.to_string() +
                                           ": it would never be asked for here");
}

/// RFC 2181 section 5: a record that occurs twice is one.
void ZoneBuilder::drop_duplicates() {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order(records_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = {hash_of(records_[i]), i};
    std::sort(order.begin(), order.end());
    std::vector<bool> drop(order.size());
    bool any = false;
    for (std::size_t i = 1; i < order.size(); ++i) {
        if (order[i].first != order[i - 1].first) continue;
        const RecordView a = records_[order[i - 1].second], b = records_[order[i].second];
        if (a.type != b.type || !same(a.owner, b.owner) || !same(a.rdata, b.rdata)) continue;
        problems_.warning(place_of(order[i].second), "this record is given twice; first at " +
                                                         place_of(order[i - 1].second).to_string());
        drop[order[i].second] = any = true;
    }
    if (!any) return;
    Records kept;
    for (std::size_t i = 0; i < records_.size(); ++i)
        if (const RecordView r = records_[i]; !drop[i])
            kept.append(*Name::from_wire(r.owner), r.type, r.ttl, r.rdata);
    records_ = std::move(kept);
}

void ZoneBuilder::check(const std::map<Name, Place>& services) {
    check_cnames();
    check_services(services);
    drop_duplicates();
}

} // namespace fairway::load
