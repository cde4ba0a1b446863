#include "dns/resolution.hpp"

#include "config/record.hpp"
#include "config/rendezvous.hpp"
#include "dns/address_hints.hpp"
#include "dns/rdata.hpp"

#include <algorithm>

namespace fairway::dns {

// The answer depends on the bits that tell the class, and on those that tell which network sticks.
Choosing choose_of_pool(const ServiceAnswers& answers, const Whereabouts& at, const Snapshot& snapshot,
                        Random& random) noexcept {
    std::size_t pool = 0;
    unsigned scope = 0;
    if (answers.has_classes()) {
        const auto found = snapshot.clients->networks.find(at.address);
        pool = answers.by_class(found.client_class);
        scope = found.scope;
    }
    const auto& chosen = answers.pool(pool);
    if (chosen.how == ServiceAnswers::PoolAt::How::stick)
        scope = std::max(scope, sticky_bits(at.address.family));
    const std::uint64_t drawn = chosen.how == ServiceAnswers::PoolAt::How::draw ? random.next() : 0;
    return {answers.by_pool(chosen, at.address, drawn), at.told ? scope : 0u};
}

void Resolution::run() noexcept {
    while (step()) {}
}

// ---------------------------------------------------------------- finding

const Node* Resolution::tail(const FoldedName& whole, std::size_t offset) const noexcept {
    const std::uint8_t* const name = whole.bytes + offset;
    const std::size_t length = whole.length - offset;
    return names_.find(name, length, hash_padded(name, length));
}

Resolution::Match Resolution::match(const FoldedName& name) const noexcept {
    const Node* const node = names_.find(name);
    if (!node) return match_missing(name);
    if (node->is(Node::occluded)) return covered(name, 0);
    return {node->is(Node::cut) ? Match::Kind::delegation : Match::Kind::exact, node};
}

// Names exist down to the closest encloser and not below it (RFC 4592 section 3.3.1).
Resolution::Match Resolution::match_missing(const FoldedName& name) const noexcept {
    std::size_t offset = 0;
    const unsigned labels = name.labels();
    const unsigned beyond = labels > names_.max_labels() ? labels - names_.max_labels() - 1 : 0;
    for (unsigned n = 0; n < beyond; ++n) offset += name.bytes[offset] + 1u;
    while (name.bytes[offset]) {
        offset += name.bytes[offset] + 1u;
        const Node* const encloser = tail(name, offset);
        if (!encloser) continue;
        if (encloser->is(Node::occluded | Node::cut | Node::dname)) return covered(name, offset);
        if (encloser->is(Node::has_wildcard)) return {Match::Kind::wildcard, wildcard_of(*encloser)};
        return {Match::Kind::missing, encloser};
    }
    return {Match::Kind::outside};
}

// The topmost cut or DNAME at or above the node found at `offset`: the first that is not itself occluded.
Resolution::Match Resolution::covered(const FoldedName& name, std::size_t offset) const noexcept {
    const Node* node = tail(name, offset);
    while (node && node->is(Node::occluded)) {
        offset += name.bytes[offset] + 1u;
        node = tail(name, offset);
    }
    if (!node) return {Match::Kind::outside}; // not so in any table that was built
    return {node->is(Node::cut) ? Match::Kind::delegation : Match::Kind::dname, node};
}

const Node* Resolution::wildcard_of(const Node& encloser) const noexcept {
    FoldedName wildcard;
    wildcard.bytes[0] = 1;
    wildcard.bytes[1] = '*';
    std::memcpy(wildcard.bytes + 2, encloser.name(), encloser.name_length);
    wildcard.length = static_cast<std::uint8_t>(encloser.name_length + 2u);
    wildcard.finish();
    return names_.find(wildcard);
}

// ---------------------------------------------------------------- answering

// True: the name has changed by a CNAME or DNAME and is to be looked for again.
bool Resolution::step() noexcept {
    const Match m = match(*name_);
    switch (m.kind) {
    case Match::Kind::outside:
        if (hops_) return false; // the resolver goes on from here
        rcode = Rcode::refused;
        authoritative = false;
        return false;
    case Match::Kind::delegation:
        // DS belongs to the parent's side of a cut (RFC 4035 section 3.1.4.1).
        if (query_.type == rrtype::ds && m.node->name_length == name_->length) return use_node(*m.node);
        refer(*m.node);
        return false;
    case Match::Kind::dname: return use_dname(*m.node);
    case Match::Kind::missing:
        rcode = Rcode::nxdomain;
        add_soa(*m.node);
        return false;
    case Match::Kind::exact:
    case Match::Kind::wildcard: return use_node(*m.node);
    }
    return false;
}

OwnerAt Resolution::owner_of(const Node& node) const noexcept {
    return {name_at_, static_cast<std::uint8_t>(name_->length - node.name_length)};
}

bool Resolution::use_node(const Node& found) noexcept {
    if (query_.type == rrtype::ds && found.is(Node::apex))
        if (const Node* const outer = names_.zone(found.zone).parent_side) return use_parent_side(*outer);
    return use_records(found);
}

// The zone around may itself have given away what lies above this apex.
bool Resolution::use_parent_side(const Node& node) noexcept {
    FoldedName parent;
    parent.assign({name_->bytes + name_->bytes[0] + 1, name_->length - name_->bytes[0] - 1u});
    const Match m = match(parent);
    if (m.kind == Match::Kind::dname) return use_dname(*m.node);
    if (m.kind != Match::Kind::delegation) return use_records(node);
    refer(*m.node);
    return false;
}

bool Resolution::use_records(const Node& here) noexcept {
    const Node* const node = &here;
    const OwnerAt owner = owner_of(*node);
    const bool addresses = query_.type == rrtype::a || query_.type == rrtype::aaaa;
    if (node->is(Node::service)) {
        const bool names = half(*node, false).has_names();
        if (names || addresses || query_.type == rrtype::any) return use_service(*node);
    }
    if (query_.type == rrtype::any) use_any(*node, owner);
    else if (const auto* set = node->find(query_.type)) use_set(*node, *set, owner);
    else if (node->is(Node::cname)) return use_cname(*node, owner);
    else add_soa(*node);
    return false;
}

// One set stands for all of them (RFC 8482 section 4.1).
void Resolution::use_any(const Node& node, OwnerAt owner) noexcept {
    if (node.rrsets) use_set(node, *node.first(), owner);
    else add_soa(node);
}

// A choice that is a name is answered whatever is asked for, and followed as a CNAME is.
bool Resolution::use_name(const ServiceAnswers& answers, std::size_t choice) noexcept {
    dnames_[hops_] = {};
    const std::size_t record = message_.size();
    const auto& set = answers.set(choice, false);
    if (!message_.add(Section::answer, answers.wire(set), set.size, set.count, rrtype::cname,
                      {name_at_, 0})) {
        truncate();
        return false;
    }
    const bool asked = query_.type == rrtype::cname || query_.type == rrtype::any;
    return !asked && follow(record + 12);
}

// What answers a family: both are answered by one unless they are decided apart.
const ServiceAnswers& Resolution::half(const Node& service, bool v6) const noexcept {
    return *snapshot_.services[service.service_index + (v6 && service.is(Node::apart))];
}

bool Resolution::use_service(const Node& node) noexcept {
    const bool any_by_v6 = query_.type == rrtype::any && !half(node, false).has_choices();
    const ServiceAnswers& answers = half(node, query_.type == rrtype::aaaa || any_by_v6);
    if (answers.kind() == ServiceAnswers::Kind::servfail) {
        message_.clear();
        rcode = Rcode::servfail;
        authoritative = false;
        return false;
    }
    if (answers.kind() == ServiceAnswers::Kind::nodata) return add_soa(node), false;
    const auto [choice, depends_on] = choose(answers, query_, snapshot_, client_, random_);
    if (depends_on) scope = depends_on;
    if (answers.is_name(choice)) return use_name(answers, choice);
    bool v6 = query_.type == rrtype::aaaa;
    if (!v6 && query_.type != rrtype::a && query_.type != rrtype::any) return add_soa(node), false;
    if (query_.type == rrtype::any) v6 = answers.set(choice, false).count == 0;
    const auto& set = answers.set(choice, v6);
    if (set.count == 0) return add_soa(node), false;
    const std::uint16_t type = v6 ? rrtype::aaaa : rrtype::a;
    if (!message_.add(Section::answer, answers.wire(set), set.size, set.count, type, {name_at_, 0}))
        truncate();
    return false;
}

void Resolution::use_set(const Node& node, const RrsetHeader& set, OwnerAt owner) noexcept {
    for (unsigned i = 0; i < hops_; ++i)
        if (set.type == rrtype::dname && dnames_[i].node == &node && owner.longer == 0)
            return; // a hop took it along
    const std::size_t record = message_.size();
    if (is_service_binding(set.type)) use_bindings(node, set, owner);
    else add(set, owner);
    const bool none = message_.counts()[1] != 0; // no binding was left: the SOA says so
    if (!truncated && !none && names_host(set.type)) add_targets(node, set, record);
}

// Record by record, because hints of a service's addresses are what that service answers now, for as long.
void Resolution::use_bindings(const Node& node, const RrsetHeader& set, OwnerAt owner) noexcept {
    const std::size_t before = message_.size();
    const std::uint8_t* wire = set.wire();
    for (unsigned n = set.count; n; --n) {
        const std::size_t size = get16(wire + 10), at = message_.size();
        if (!message_.add(Section::answer, wire, 12 + size, 1, set.type, owner)) return truncate();
        if (const Node* const service = hinted_service(node, {wire + 12, size})) {
            std::uint8_t* const record = message_.data() + at;
            const auto [v4, v6] = answered_now(*service);
            for (const Bytes addresses : {v4, v6})
                if (!addresses.empty())
                    put32(record + 6, std::min(get32(record + 6), get32(addresses.data() + 6)));
            const std::size_t kept = keep_address_hints({record + 12, size}, v4, v6);
            put16(record + 10, kept);
            message_.shorten(kept ? size - kept : 12 + size, Section::answer, kept == 0);
        }
        wire += 12 + size;
    }
    if (message_.size() == before) add_soa(node);
    else share_least_ttl(before);
}

// What a service answers now, as records; nothing of one that answers a name, or nothing.
Resolution::Records Resolution::answered_now(const Node& service) noexcept {
    Records now;
    const unsigned halves = service.is(Node::apart) ? 2 : 1;
    for (unsigned i = 0; i < halves; ++i) {
        const ServiceAnswers& answers = half(service, i != 0);
        if (!answers.has_choices()) continue;
        const auto [choice, depends_on] = choose(answers, query_, snapshot_, client_, random_);
        scope = std::max(scope, depends_on);
        if (answers.is_name(choice)) continue;
        const auto& v4 = answers.set(choice, false);
        const auto& v6 = answers.set(choice, true);
        if (i == 0) now.v4 = {answers.wire(v4), v4.size};
        if (i + 1 == halves) now.v6 = {answers.wire(v6), v6.size};
    }
    return now;
}

// The records from `first` on are one set and have one TTL (RFC 2181 section 5.2).
void Resolution::share_least_ttl(std::size_t first) noexcept {
    std::uint8_t* const end = message_.data() + message_.size();
    const auto after = [](std::uint8_t* record) { return record + 12 + get16(record + 10); };
    std::uint32_t least = ~std::uint32_t{0};
    for (auto* r = message_.data() + first; r != end; r = after(r)) least = std::min(least, get32(r + 6));
    for (auto* r = message_.data() + first; r != end; r = after(r)) put32(r + 6, least);
}

// The service whose addresses the record's hints are; none where it has no hints or its host is no service.
const Node* Resolution::hinted_service(const Node& node, Bytes rdata) const noexcept {
    if (!has_address_hints(rdata)) return nullptr;
    FoldedName target;
    target.assign(rdata.subspan(2, name_length(rdata.subspan(2))));
    const Node* const there = target.length == 1 ? &node : host(target, node);
    return there && there->is(Node::service) ? there : nullptr;
}

bool Resolution::use_cname(const Node& node, OwnerAt owner) noexcept {
    dnames_[hops_] = {};
    const std::size_t record = message_.size();
    const RrsetHeader* const set = node.find(rrtype::cname);
    add(*set, owner);
    return !truncated && follow(record + 12);
}

// Everything below the DNAME's owner is renamed (RFC 6672 section 3.2); the CNAME says so to those who do not
// know it.
bool Resolution::use_dname(const Node& node) noexcept {
    const RrsetHeader* const set = node.find(rrtype::dname);
    const std::size_t prefix = name_->length - node.name_length;
    std::size_t record = message_.size();
    for (unsigned i = 0; i < hops_; ++i)
        if (dnames_[i].node == &node) record = dnames_[i].record; // once is enough
    if (record == message_.size())
        add(*set, {static_cast<std::uint16_t>(message_.locate(name_at_, prefix)), 0});
    if (truncated) return false;
    dnames_[hops_] = {&node, record};
    if (prefix + get16(set->wire() + 10) > max_name) {
        rcode = Rcode::yxdomain;
        return false;
    }
    const std::uint32_t ttl = get32(set->wire() + 6);
    const std::size_t synthesized = message_.size();
    if (!message_.add_cname({name_at_, 0}, ttl, Bytes(name_->bytes, prefix), record + 12)) {
        truncate();
        return false;
    }
    return query_.type != rrtype::cname && follow(synthesized + 12); // it may be what was asked for
}

bool Resolution::follow(std::size_t target) noexcept {
    seen_[hops_++] = name_->hash;
    if (hops_ == max_hops || !followed_.expand(message_.bytes(), target)) return false;
    for (unsigned i = 0; i < hops_; ++i)
        if (seen_[i] == followed_.hash) return false;
    name_ = &followed_;
    name_at_ = static_cast<std::uint16_t>(target);
    return true;
}

// ---------------------------------------------------------------- referrals, negative answers, what does not
// fit

// NS of the cut, and the addresses of those servers whose names lie in this zone (RFC 9471): the ones below
// the cut itself must be there or TC is set, the others may be left out.
void Resolution::refer(const Node& cut) noexcept {
    const RrsetHeader& set = *cut.find(rrtype::ns);
    const OwnerAt owner{
        static_cast<std::uint16_t>(message_.locate(name_at_, name_->length - cut.name_length)), 0};
    authoritative = hops_ != 0;
    const std::size_t first = message_.size();
    if (!message_.add(Section::authority, set, owner)) return truncate();
    for (const bool in_domain : {true, false}) {
        std::size_t record = first;
        for (unsigned n = set.count; n; --n) {
            if (!add_glue(cut, record + 12, in_domain)) return in_domain ? truncate() : void();
            record += 12u + get16(message_.data() + record + 10);
        }
    }
}

bool Resolution::add_glue(const Node& cut, std::size_t server, bool in_domain) noexcept {
    FoldedName name;
    if (server > max_pointer || !name.expand(message_.bytes(), server)) return true;
    const bool below =
        name.length >= cut.name_length &&
        std::memcmp(name.bytes + name.length - cut.name_length, cut.name(), cut.name_length) == 0;
    const Node* const node = below == in_domain ? host(name, cut) : nullptr;
    return !node || add_addresses(*node, server);
}

// Who has the addresses of a host that `from` names: the host, be it glue, or a wildcard; none where it is
// not under the zone's apex, because those who ask would not believe us.
const Node* Resolution::host(const FoldedName& name, const Node& from) const noexcept {
    const std::size_t apex = names_.zone(from.zone).apex_length;
    if (name.length < apex ||
        std::memcmp(name.bytes + name.length - apex, from.name() + from.name_length - apex, apex) != 0)
        return nullptr;
    if (const Node* const node = names_.find(name)) return node;
    const Match m = match_missing(name);
    return m.kind == Match::Kind::wildcard ? m.node : nullptr;
}

bool Resolution::add_addresses(const Node& node, std::size_t owner) noexcept {
    for (const std::uint16_t type : {rrtype::a, rrtype::aaaa})
        if (const auto* set = node.find(type))
            if (!message_.add(Section::additional, *set, {static_cast<std::uint16_t>(owner), 0}))
                return false;
    return true;
}

// Hints are judged where they are asked for; in passing, such records are left out.
bool Resolution::hinted(const RrsetHeader& set) const noexcept {
    const std::uint8_t* wire = set.wire();
    for (unsigned n = set.count; n; --n, wire += 12 + get16(wire + 10))
        if (has_address_hints({wire + 12, get16(wire + 10)})) return true;
    return false;
}

// The addresses of the hosts that the records of `set`, written from `record` on, name: as many as fit.
void Resolution::add_targets(const Node& node, const RrsetHeader& set, std::size_t record) noexcept {
    std::uint64_t seen[max_targets];
    unsigned targets = 0;
    for (const std::size_t end = message_.size(); record < end && targets < max_targets;) {
        std::size_t at = record + 12 + host_offset(set.type);
        record += 12u + get16(message_.data() + record + 10);
        FoldedName name;
        if (at > max_pointer || !name.expand(message_.bytes(), at)) continue;
        if (name.length == 1 && is_service_binding(set.type)) { // RFC 9460 section 2.5: the owner itself
            name = *name_;
            at = name_at_;
        }
        if (std::find(seen, seen + targets, name.hash) != seen + targets) continue;
        seen[targets++] = name.hash;
        const Node* const there = host(name, node);
        if (!there) continue;
        if (!add_addresses(*there, at)) return;
        const auto* const more = is_service_binding(set.type) ? there->find(set.type) : nullptr;
        if (more && there != &node && !hinted(*more))
            if (!message_.add(Section::additional, *more, {static_cast<std::uint16_t>(at), 0})) return;
    }
}

void Resolution::add_soa(const Node& node) noexcept {
    const ZoneInfo& zone = names_.zone(node.zone);
    if (!zone.negative_soa) return;
    const std::size_t apex = message_.locate(name_at_, name_->length - zone.apex_length);
    if (!message_.add(Section::authority, *zone.negative_soa, {static_cast<std::uint16_t>(apex), 0}))
        truncate();
}

void Resolution::add(const RrsetHeader& set, OwnerAt owner) noexcept {
    if (!message_.add(Section::answer, set, owner)) truncate();
}

void Resolution::truncate() noexcept {
    message_.clear();
    truncated = true;
}

} // namespace fairway::dns
