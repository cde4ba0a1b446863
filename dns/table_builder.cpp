#include "dns/table_builder.hpp"

#include "dns/rdata.hpp"

#include <algorithm>
#include <cstdlib>

namespace fairway::dns {
namespace {

std::uint64_t hash_of(Bytes name) {
    std::uint64_t h = hash_start;
    std::size_t i = 0;
    for (; i + block_size <= name.size(); i += block_size) h = mix(h, load_block(name.data() + i));
    if (i == name.size()) return h;
    std::uint8_t last[block_size] = {};
    std::memcpy(last, name.data() + i, name.size() - i);
    return mix(h, load_block(last));
}

Bytes parent_of(Bytes name) { return name.subspan(name[0] + 1u); }
bool is_wildcard(Bytes name) { return name.size() > 2 && name[0] == 1 && name[1] == '*'; }
std::uint8_t lower(std::uint8_t c) { return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c + 32) : c; }

unsigned count_labels(Bytes name) {
    unsigned labels = 0;
    for (; name[0]; name = parent_of(name)) ++labels;
    return labels;
}

bool same_tail(Bytes a, Bytes b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](auto x, auto y) { return lower(x) == lower(y); });
}

// Where in `owner` the longest tail of `name` begins, and how much of `name` comes before it.
struct SharedTail {
    std::size_t in_owner, before;
};
SharedTail shared_tail(Bytes name, Bytes owner) {
    // A wildcard's own label is not in the answer, where its owner is what was asked for.
    const std::size_t first = is_wildcard(owner) ? 2 : 0;
    for (std::size_t before = 0; name[before]; before += name[before] + 1u)
        for (std::size_t k = first; owner[k]; k += owner[k] + 1u)
            if (owner.size() - k == name.size() - before && same_tail(name.subspan(before), owner.subspan(k)))
                return {k, before};
    return {0, name.size()};
}

std::uint8_t* put_name(std::uint8_t* out, Bytes name, Bytes owner) {
    const SharedTail tail = shared_tail(name, owner);
    std::memcpy(out, name.data(), tail.before);
    out += tail.before;
    if (tail.before == name.size()) return out;
    put16(out, pointer_mark | (header_size + tail.in_owner));
    return out + 2;
}

std::uint8_t* put_rdata(std::uint8_t* out, std::uint16_t type, Bytes rdata, Bytes owner) {
    const auto [skip, names] = compressible_names(type);
    std::size_t done = std::min<std::size_t>(skip, rdata.size());
    std::memcpy(out, rdata.data(), done);
    out += done;
    for (unsigned n = 0; n < names; ++n) {
        const std::size_t length = name_length(rdata.subspan(done));
        out = put_name(out, rdata.subspan(done, length), owner);
        done += length;
    }
    std::memcpy(out, rdata.data() + done, rdata.size() - done);
    return out + (rdata.size() - done);
}

// Record data whose names are whole: anything else would be sent as it is and lead clients astray.
bool well_formed(const RecordView& r) {
    const auto [skip, names] = compressible_names(r.type);
    std::size_t at = skip;
    for (unsigned n = 0; n < names; ++n) {
        if (at >= r.rdata.size()) return false;
        const std::size_t length = name_length(r.rdata.subspan(at));
        if (length == 0) return false;
        at += length;
    }
    return r.type != rrtype::soa || r.rdata.size() == at + 20;
}

// Of its owner first; then of those of its names that share a tail with it.
std::array<std::uint16_t, 3> pointers_in_soa(const RrsetHeader& soa) {
    std::array<std::uint16_t, 3> pointers{};
    std::size_t found = 1, at = 12;
    for (int name = 0; name < 2; ++name) {
        while (soa.wire()[at] && soa.wire()[at] <= max_label) at += soa.wire()[at] + 1u;
        const bool pointer = soa.wire()[at] != 0;
        if (pointer) pointers[found++] = static_cast<std::uint16_t>(at);
        at += pointer ? 2 : 1;
    }
    return pointers;
}

} // namespace

NameTable TableBuilder::build() {
    add_zones();
    add_records();
    add_services();
    add_parents();
    if (any_cover_) mark_occluded();
    order_records();
    lay_out();
    return std::move(table_);
}

// ---------------------------------------------------------------- gathering names

TableBuilder::DraftIndex TableBuilder::find(const std::uint8_t* name, std::size_t length,
                                            std::uint64_t hash) const {
    const std::size_t mask = index_.size() - 1;
    for (std::size_t i = hash & mask; index_[i] != none; i = (i + 1) & mask) {
        const Draft& d = drafts_[index_[i]];
        if (d.hash == hash && d.length == length && std::memcmp(d.name, name, length) == 0) return index_[i];
    }
    return none;
}

TableBuilder::DraftIndex TableBuilder::find_or_add(Bytes name, std::uint32_t zone) {
    const std::uint64_t hash = hash_of(name);
    if (const auto found = find(name.data(), name.size(), hash); found != none) return found;
    if ((drafts_.size() + 1) * 2 > index_.size()) grow_index();
    Draft d;
    d.name = name.data();
    d.hash = hash;
    d.zone = zone;
    d.length = static_cast<std::uint8_t>(name.size());
    drafts_.push_back(d);
    const std::size_t mask = index_.size() - 1;
    std::size_t i = hash & mask;
    while (index_[i] != none) i = (i + 1) & mask;
    return index_[i] = static_cast<DraftIndex>(drafts_.size() - 1);
}

void TableBuilder::grow_index() {
    index_.assign(index_.size() * 2, none);
    const std::size_t mask = index_.size() - 1;
    for (DraftIndex d = 0; d < drafts_.size(); ++d) {
        std::size_t i = drafts_[d].hash & mask;
        while (index_[i] != none) i = (i + 1) & mask;
        index_[i] = d;
    }
}

// The apex at or above the name. Only where apexes are all there is, or the name's zone is sought.
TableBuilder::DraftIndex TableBuilder::closest_apex(Bytes name) const {
    for (;; name = parent_of(name)) {
        const auto d = find(name.data(), name.size(), hash_of(name));
        if (d != none && drafts_[d].flags & Node::apex) return d;
        if (name[0] == 0) return none;
    }
}

void TableBuilder::add_zones() {
    std::size_t expected = model_.services.size() + model_.zones.size();
    for (const auto& z : model_.zones) expected += z.records.size() / 2;
    drafts_.reserve(expected);
    index_.assign(std::bit_ceil(2 * expected + 16), none);
    for (std::uint32_t z = 0; z < model_.zones.size(); ++z)
        drafts_[find_or_add(model_.zones[z].name.wire(), z)].flags |= Node::apex;

    has_inner_.resize(model_.zones.size());
    parent_side_.resize(model_.zones.size());
    parent_records_.resize(model_.zones.size());
    for (std::uint32_t z = 0; z < model_.zones.size(); ++z) {
        const Bytes apex = model_.zones[z].name.wire();
        if (apex.size() == 1) continue;
        const auto around = closest_apex(parent_of(apex));
        if (around == none) continue;
        has_inner_[drafts_[around].zone] = true;
        parent_side_[z] = drafts_[z];
        parent_side_[z].zone = drafts_[around].zone;
        parent_side_[z].flags = Node::cut;
    }
}

// Whether a zone inside this one answers for the record's owner. What the outer zone says of the inner one's
// delegation is kept as its parent side.
bool TableBuilder::belongs_to_inner_zone(std::uint32_t zone, const RecordView& record, std::uint32_t index) {
    const auto apex = closest_apex(record.owner);
    if (apex == none || drafts_[apex].zone == zone) return false;
    const std::uint32_t inner = drafts_[apex].zone;
    const bool at_apex = record.owner.size() == drafts_[apex].length;
    if (at_apex && parent_side_[inner].zone == zone &&
        (record.type == rrtype::ds || record.type == rrtype::ns))
        parent_records_[inner].push_back(index);
    return true;
}

void TableBuilder::add_records() {
    std::size_t total = 0;
    for (const auto& z : model_.zones) total += z.records.size();
    draft_of_.reserve(total);
    for (std::uint32_t z = 0; z < model_.zones.size(); ++z) {
        const Records& records = model_.zones[z].records;
        DraftIndex last = none; // records of one name mostly follow each other
        for (std::uint32_t i = 0; i < records.size(); ++i) {
            const RecordView r = records[i];
            if (!well_formed(r) || (has_inner_[z] && belongs_to_inner_zone(z, r, i))) {
                draft_of_.push_back(none);
                continue;
            }
            if (last == none || drafts_[last].length != r.owner.size() ||
                std::memcmp(drafts_[last].name, r.owner.data(), r.owner.size()) != 0)
                last = find_or_add(r.owner, z);
            mark_type(drafts_[last], r.type);
            ++drafts_[last].count;
            draft_of_.push_back(last);
        }
    }
}

void TableBuilder::mark_type(Draft& draft, std::uint16_t type) {
    // RFC 4592 section 4.2 leaves NS at a wildcard undefined: here it is data and no cut.
    const bool can_cut = !(draft.flags & Node::apex) && !is_wildcard({draft.name, draft.length});
    if (type == rrtype::ns && can_cut) draft.flags |= Node::cut;
    else if (type == rrtype::dname) draft.flags |= Node::dname;
    else if (type == rrtype::cname) draft.flags |= Node::cname;
    any_cover_ |= (draft.flags & (Node::cut | Node::dname)) != 0;
}

void TableBuilder::add_services() {
    for (ServiceIndex s = 0; s < model_.services.size(); ++s) {
        const Bytes name = model_.services[s].name.wire();
        const auto apex = closest_apex(name);
        if (apex == none) continue;
        Draft& d = drafts_[find_or_add(name, drafts_[apex].zone)];
        if (model_.services[s].family == Family::v6) continue; // found by way of the half before it
        d.flags |= Node::service;
        if (model_.services[s].family) d.flags |= Node::apart;
        d.service = s;
    }
}

// Adds empty non-terminals; those added are met later in the same loop.
void TableBuilder::add_parents() {
    for (DraftIndex d = 0; d < drafts_.size(); ++d) {
        const Draft draft = drafts_[d];
        const Bytes name{draft.name, draft.length};
        table_.max_labels_ = std::max(table_.max_labels_, count_labels(name));
        if (draft.flags & Node::apex) {
            // What is above an inner zone exists in the zone around it, delegated or not (RFC 8020).
            if (const Draft& outside = parent_side_[draft.zone]; outside.length)
                find_or_add(parent_of(name), outside.zone);
            continue;
        }
        const auto parent = find_or_add(parent_of(name), draft.zone);
        drafts_[d].parent = parent;
        if (is_wildcard(name)) drafts_[parent].flags |= Node::has_wildcard;
    }
}

void TableBuilder::mark_occluded() {
    for (auto& d : drafts_)
        for (auto up = d.parent; up != none; up = drafts_[up].parent)
            if (drafts_[up].flags & (Node::cut | Node::dname)) d.flags |= Node::occluded;
}

// A counting sort of all records by their draft.
void TableBuilder::order_records() {
    std::uint32_t sum = 0;
    for (auto& d : drafts_) {
        d.first = sum;
        sum += d.count;
        d.count = 0;
    }
    order_.resize(sum);
    std::size_t record = 0;
    for (const auto& z : model_.zones)
        for (std::uint32_t i = 0; i < z.records.size(); ++i)
            if (const auto d = draft_of_[record++]; d != none)
                order_[drafts_[d].first + drafts_[d].count++] = i;
    draft_of_ = {};
    index_ = {};
}

// ---------------------------------------------------------------- laying out

// Octets of all nodes, but for what compression saves and what is said twice.
std::size_t TableBuilder::upper_bound() const {
    std::size_t bytes = 0;
    const auto node = [](std::size_t name) { return sizeof(Node) + (name + 7) / 8 * 8; };
    const auto record = [](const RecordView& r) {
        return (sizeof(RrsetHeader) + 12 + r.rdata.size() + 3) / 4 * 4;
    };
    for (const auto& d : drafts_) bytes += node(d.length);
    for (const auto& z : model_.zones)
        for (std::size_t i = 0; i < z.records.size(); ++i) {
            const RecordView r = z.records[i];
            bytes += record(r) * (r.type == rrtype::soa ? 2 : 1); // once more for negative answers
        }
    return bytes + model_.zones.size() * node(max_name);
}

void TableBuilder::lay_out() {
    // Five slots in eight are taken: one name in forty is not in its own bucket.
    const std::size_t buckets = drafts_.size() / 5 + 1, head = buckets * sizeof(NameTable::Bucket);
    constexpr std::size_t line = sizeof(NameTable::Bucket);
    const std::size_t bound = (head + upper_bound() + copy_slack + line - 1) / line * line;
    table_.block_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(line, bound)));
    if (!table_.block_) throw std::bad_alloc();
    buckets_ = reinterpret_cast<NameTable::Bucket*>(table_.block_.get());
    std::uninitialized_fill_n(buckets_, buckets, NameTable::Bucket{});
    table_.buckets_ = buckets_;
    table_.bucket_count_ = buckets;
    at_ = table_.block_.get() + head;
    table_.names_ = drafts_.size();
    table_.zones_.resize(model_.zones.size());
    for (const auto& d : drafts_)
        fill_slot(d.hash, put_node(d, RecordIndices(order_).subspan(d.first, d.count)));
    for (std::uint32_t z = 0; z < model_.zones.size(); ++z) put_zone(z);
    table_.used_ = static_cast<std::size_t>(at_ - table_.block_.get()) + copy_slack;
}

void TableBuilder::fill_slot(std::uint64_t hash, const Node* node) {
    const auto tag = static_cast<std::uint32_t>(hash);
    const auto offset = reinterpret_cast<const std::uint8_t*>(node) - table_.block_.get();
    for (std::size_t b = table_.home(hash);; b = table_.after(b))
        for (std::uint32_t k = 0; k < 8; ++k)
            if (auto& slot = buckets_[b].slots[(tag + k) % 8]; slot.node == 0) {
                slot = {tag, static_cast<std::uint32_t>(offset / 4)};
                return;
            }
}

Node* TableBuilder::put_node(const Draft& draft, RecordIndices indices) {
    const Records& records = records_of(draft);
    auto* const node = new (at_) Node{draft.length, draft.flags, 0, draft.zone, draft.service};
    at_ += sizeof(Node);
    const std::size_t padded = (draft.length + 7u) & ~7u;
    std::memset(at_, 0, padded);
    std::memcpy(at_, draft.name, draft.length);
    at_ += padded;

    const auto type = [&](std::uint32_t i) { return records[i].type; };
    std::sort(indices.begin(), indices.end(), [&](auto a, auto b) { return type(a) < type(b); });
    while (!indices.empty()) {
        std::size_t n = 1;
        while (n < indices.size() && type(indices[n]) == type(indices[0])) ++n;
        const bool served = draft.flags & Node::service &&
                            (type(indices[0]) == rrtype::a || type(indices[0]) == rrtype::aaaa);
        if (!served) {
            put_rrset(draft, indices.first(n));
            ++node->rrsets;
        }
        indices = indices.subspan(n);
    }
    return node;
}

// One TTL a set, the smallest (RFC 2181 section 5.2); a record said twice is one (section 5).
void TableBuilder::put_rrset(const Draft& draft, RecordIndices indices) {
    const Records& records = records_of(draft);
    const auto less = [&](auto a, auto b) {
        return std::lexicographical_compare(records[a].rdata.begin(), records[a].rdata.end(),
                                            records[b].rdata.begin(), records[b].rdata.end());
    };
    const auto same = [&](auto a, auto b) { return !less(a, b) && !less(b, a); };
    if (indices.size() > 1) {
        std::sort(indices.begin(), indices.end(), less);
        const auto end = std::unique(indices.begin(), indices.end(), same);
        indices = indices.first(static_cast<std::size_t>(end - indices.begin()));
    }
    std::uint32_t ttl = records[indices[0]].ttl;
    for (const auto i : indices) ttl = std::min(ttl, records[i].ttl);

    const std::uint16_t type = records[indices[0]].type;
    auto* const set = new (at_) RrsetHeader{type, static_cast<std::uint16_t>(indices.size()), 0};
    at_ += sizeof(RrsetHeader);
    for (const auto i : indices) set->size += static_cast<std::uint32_t>(put_record(draft, records[i], ttl));
    while (reinterpret_cast<std::uintptr_t>(at_) & 3) *at_++ = 0;
}

std::size_t TableBuilder::put_record(const Draft& owner, const RecordView& record, std::uint32_t ttl) {
    put16(at_, pointer_mark | header_size);
    put16(at_ + 2, record.type);
    put16(at_ + 4, class_in);
    put32(at_ + 6, ttl);
    std::uint8_t* const end = put_rdata(at_ + 12, record.type, record.rdata, {owner.name, owner.length});
    const auto size = static_cast<std::size_t>(end - at_);
    put16(at_ + 10, size - 12);
    at_ = end;
    return size;
}

void TableBuilder::put_zone(std::uint32_t zone) {
    ZoneInfo& info = table_.zones_[zone];
    const Draft& apex = drafts_[zone];
    info.apex_length = apex.length;
    for (const auto i : RecordIndices(order_).subspan(apex.first, apex.count)) {
        const RecordView soa = records_of(apex)[i];
        if (soa.type != rrtype::soa) continue;
        info.negative_soa = reinterpret_cast<const RrsetHeader*>(at_);
        auto* const set = new (at_) RrsetHeader{rrtype::soa, 1, 0};
        at_ += sizeof(RrsetHeader);
        const std::uint32_t minimum = get32(soa.rdata.data() + soa.rdata.size() - 4);
        set->size = static_cast<std::uint32_t>(put_record(apex, soa, std::min(soa.ttl, minimum)));
        while (reinterpret_cast<std::uintptr_t>(at_) & 3) *at_++ = 0;
        info.soa_pointers = pointers_in_soa(*info.negative_soa);
        break;
    }
    if (parent_side_[zone].length) info.parent_side = put_node(parent_side_[zone], parent_records_[zone]);
}

} // namespace fairway::dns
