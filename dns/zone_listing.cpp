#include "dns/zone_listing.hpp"

#include "dns/ask.hpp"
#include "dns/message.hpp"
#include "dns/wire.hpp"

#include <algorithm>

namespace fairway::dns {

namespace {

/// A name's labels, the last one first.
std::vector<std::span<const std::uint8_t>> from_the_root(const Name& name) {
    std::vector<std::span<const std::uint8_t>> labels;
    auto wire = name.wire();
    for (std::size_t at = 0; wire[at]; at += wire[at] + 1u) labels.push_back(wire.subspan(at + 1, wire[at]));
    std::ranges::reverse(labels);
    return labels;
}

/// RFC 4034 section 6.1; names are lower case already.
bool before(const Name& a, const Name& b) {
    const auto less = [](auto x, auto y) { return std::ranges::lexicographical_compare(x, y); };
    return std::ranges::lexicographical_compare(from_the_root(a), from_the_root(b), less);
}

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

ZoneListing list_names(const Snapshot& snapshot, const Name& top, const std::optional<Name>& after,
                       std::size_t limit, const IpAddress& client, Random& random) {
    const NameTable& table = snapshot.fixed->names;
    std::vector<std::pair<Name, const Node*>> found;
    table.each([&](const Node& node) {
        Name name = name_of(node);
        if (name.is_under(top) && (!after || before(*after, name)))
            found.emplace_back(std::move(name), &node);
    });
    ZoneListing listing{.more = found.size() > limit};
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(limit, found.size()));
    std::ranges::partial_sort(found, end, before, [](auto& f) -> const Name& { return f.first; });
    for (auto f = found.begin(); f != end; ++f) {
        const auto& [name, node] = *f;
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

std::vector<Name> list_zones(const Snapshot& snapshot) {
    std::vector<Name> zones;
    snapshot.fixed->names.each([&](const Node& node) {
        if (node.is(Node::apex)) zones.push_back(name_of(node));
    });
    std::ranges::sort(zones, before);
    return zones;
}

} // namespace fairway::dns
