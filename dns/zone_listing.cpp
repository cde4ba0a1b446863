#include "dns/zone_listing.hpp"

#include "dns/ask.hpp"
#include "dns/message.hpp"
#include "dns/wire.hpp"

#include <algorithm>
#include <array>

namespace fairway::dns {

namespace {

/// What compares octet by octet as RFC 4034 section 6.1 compares names: the labels from the root on, each
/// ended by a zero. Below the upper case letters, which are folded, octets move up by one, and the zero is
/// free for that. What is below a name begins with its key.
std::string key(std::span<const std::uint8_t> wire) {
    std::array<std::uint8_t, 128> starts; // 127 labels at most
    std::size_t labels = 0;
    for (std::size_t at = 0; wire[at]; at += wire[at] + 1u) starts[labels++] = static_cast<std::uint8_t>(at);
    std::string k;
    k.reserve(wire.size());
    while (labels) {
        const std::size_t at = starts[--labels];
        for (auto octet : wire.subspan(at + 1, wire[at]))
            k.push_back(static_cast<char>(octet < 'A' ? octet + 1 : octet));
        k.push_back('\0');
    }
    return k;
}

std::string key(const Node* node) { return key({node->name(), node->name_length}); }

Name name_of(const Node& node) { return Name::from_wire({node.name(), node.name_length}).value(); }

ListedName::Kind kind_of(const Node& node) {
    using enum ListedName::Kind;
    if (node.is(Node::occluded)) return hidden;
    if (node.is(Node::cut)) return delegated;
    if (node.is(Node::service)) return service;
    return node.rrsets ? records : empty;
}

/// A record set as the answer to the question for it, which is how its owner can point at offset 12.
std::vector<std::uint8_t> as_message(const Name& owner, const RrsetHeader& set) {
    std::vector<std::uint8_t> m(header_size);
    m[2] = 0x84; // QR, AA
    put16(m.data() + 4, 1);
    put16(m.data() + 6, set.count);
    m.insert(m.end(), owner.wire().begin(), owner.wire().end());
    m.resize(m.size() + 4);
    put16(m.data() + m.size() - 4, set.type);
    put16(m.data() + m.size() - 2, class_in);
    m.insert(m.end(), set.wire(), set.wire() + set.size);
    return m;
}

} // namespace

NameOrder::NameOrder(const StaticPart& of) {
    std::vector<std::pair<std::string, const Node*>> found;
    found.reserve(of.names.names());
    of.names.each([&](const Node& node) { found.emplace_back(key(&node), &node); });
    std::ranges::sort(found);
    names_.reserve(found.size());
    for (const auto& [k, node] : found) {
        names_.push_back(node);
        if (node->is(Node::apex)) zones_.push_back(name_of(*node));
    }
}

std::span<const Node* const> NameOrder::behind(const Name& top, const std::optional<Name>& after) const {
    const std::string above = key(top.wire()), last = after ? key(after->wire()) : "";
    const auto too_early = [&](const Node* n) {
        const std::string k = key(n);
        return k < above || (after && k <= last);
    };
    const auto begin = std::ranges::partition_point(names_, too_early);
    const auto below = [&](const Node* n) { return key(n).starts_with(above); };
    return {begin, std::partition_point(begin, names_.end(), below)};
}

ZoneListing list_names(const Snapshot& snapshot, const NameOrder& order, const Name& top,
                       const std::optional<Name>& after, std::size_t limit, const IpAddress& client,
                       Random& random) {
    const auto found = order.behind(top, after);
    ZoneListing listing{.more = found.size() > limit};
    for (const Node* node : found.first(std::min(limit, found.size()))) {
        const Name name = name_of(*node);
        ListedName listed{name, kind_of(*node), {}};
        const RrsetHeader* set = node->first();
        for (unsigned n = node->rrsets; n; --n, set = set->next())
            listed.messages.push_back(as_message(name, *set));
        if (listed.kind == ListedName::Kind::service)
            for (auto type : {rrtype::a, rrtype::aaaa})
                listed.messages.push_back(ask(snapshot, name, type, client, random));
        listing.names.push_back(std::move(listed));
    }
    return listing;
}

} // namespace fairway::dns
