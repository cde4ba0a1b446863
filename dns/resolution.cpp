#include "dns/resolution.hpp"

#include "config/record.hpp"

namespace fairway::dns {

void Resolution::run() noexcept {
    while (step()) {}
}

// ---------------------------------------------------------------- finding

const Node* Resolution::tail(std::size_t offset) const noexcept {
    const std::uint8_t* const name = name_->bytes + offset;
    const std::size_t length = name_->length - offset;
    return names_.find(name, length, hash_padded(name, length));
}

Resolution::Match Resolution::match() const noexcept {
    const Node* const node = names_.find(*name_);
    if (!node) return match_missing();
    if (node->is(Node::occluded)) return covered(0);
    return {node->is(Node::cut) ? Match::Kind::delegation : Match::Kind::exact, node};
}

// Names exist down to the closest encloser and not below it (RFC 4592 section 3.3.1).
Resolution::Match Resolution::match_missing() const noexcept {
    std::size_t offset = 0;
    const unsigned beyond = name_->labels > names_.max_labels() ? name_->labels - names_.max_labels() - 1 : 0;
    for (unsigned n = 0; n < beyond; ++n) offset += name_->bytes[offset] + 1u;
    while (name_->bytes[offset]) {
        offset += name_->bytes[offset] + 1u;
        const Node* const encloser = tail(offset);
        if (!encloser) continue;
        if (encloser->is(Node::occluded | Node::cut | Node::dname)) return covered(offset);
        if (encloser->is(Node::has_wildcard)) return {Match::Kind::wildcard, wildcard_of(*encloser)};
        return {Match::Kind::missing, encloser};
    }
    return {Match::Kind::outside};
}

// The topmost cut or DNAME at or above the node found at `offset`: the first that is not itself occluded.
Resolution::Match Resolution::covered(std::size_t offset) const noexcept {
    const Node* node = tail(offset);
    while (node && node->is(Node::occluded)) {
        offset += name_->bytes[offset] + 1u;
        node = tail(offset);
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
    const Match m = match();
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
    const Node* node = &found;
    if (query_.type == rrtype::ds && node->is(Node::apex))
        if (const Node* outer = names_.zone(node->zone).parent_side) node = outer;
    const OwnerAt owner = owner_of(*node);
    const bool addresses = query_.type == rrtype::a || query_.type == rrtype::aaaa;
    if (node->is(Node::service) && (addresses || query_.type == rrtype::any)) use_service(*node);
    else if (query_.type == rrtype::any) use_any(*node, owner);
    else if (const auto* set = node->find(query_.type)) add(*set, owner);
    else if (node->is(Node::cname)) return use_cname(*node, owner);
    else add_soa(*node);
    return false;
}

// One set stands for all of them (RFC 8482 section 4.1).
void Resolution::use_any(const Node& node, OwnerAt owner) noexcept {
    if (node.rrsets) add(*node.first(), owner);
    else add_soa(node);
}

std::size_t Resolution::choose(const ServiceAnswers& answers) noexcept {
    if (answers.kind() == ServiceAnswers::Kind::single) return 0;
    if (answers.kind() == ServiceAnswers::Kind::draw) return answers.by_draw(random_.next());
    const ClientSubnet& subnet = query_.edns.subnet;
    if (!subnet.present || subnet.source == 0)
        return answers.by_class(snapshot_.fixed->networks.find(client_.address).client_class);
    const auto found = snapshot_.fixed->networks.find(subnet.address);
    scope = found.scope;
    return answers.by_class(found.client_class);
}

void Resolution::use_service(const Node& node) noexcept {
    const ServiceAnswers& answers = *snapshot_.services[node.service_index];
    if (answers.kind() == ServiceAnswers::Kind::servfail) {
        message_.clear();
        rcode = Rcode::servfail;
        authoritative = false;
        return;
    }
    if (answers.kind() == ServiceAnswers::Kind::nodata) return add_soa(node);
    const std::size_t choice = choose(answers);
    bool v6 = query_.type == rrtype::aaaa;
    if (query_.type == rrtype::any) v6 = answers.set(choice, false).count == 0;
    const auto& set = answers.set(choice, v6);
    if (set.count == 0) return add_soa(node);
    const std::uint16_t type = v6 ? rrtype::aaaa : rrtype::a;
    if (!message_.add(Section::answer, answers.wire(set), set.size, set.count, type, {name_at_, 0}))
        truncate();
}

bool Resolution::use_cname(const Node& node, OwnerAt owner) noexcept {
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
    const std::size_t record = message_.size();
    const OwnerAt owner{static_cast<std::uint16_t>(message_.locate(name_at_, prefix)), 0};
    add(*set, owner);
    if (truncated) return false;
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
    return follow(synthesized + 12);
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
    const Node* const node = below == in_domain ? names_.find(name) : nullptr;
    if (!node || node->zone != cut.zone) return true;
    for (const std::uint16_t type : {rrtype::a, rrtype::aaaa})
        if (const auto* set = node->find(type))
            if (!message_.add(Section::additional, *set, {static_cast<std::uint16_t>(server), 0}))
                return false;
    return true;
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
