// Every name this node answers for, in one immutable block: hash slots, and nodes that hold a name and its
// records.
//
// A record lies there as it will be sent, its owner a pointer to offset 12 where the question has it. A query
// for a plain name thus costs a slot's cache line, a node's one or two, and a copy. Empty non-terminals have
// nodes too, so that a name exists exactly if it is found, and names below a cut or a DNAME are marked.
#pragma once

#include "dns/folded_name.hpp"

#include <memory>
#include <vector>

namespace fairway::dns {

/// A record set as it lies in a node: `count` records, `size` octets of wire form follow.
struct RrsetHeader {
    std::uint16_t type;
    std::uint16_t count;
    std::uint32_t size;

    const std::uint8_t* wire() const { return reinterpret_cast<const std::uint8_t*>(this + 1); }
    const RrsetHeader* next() const {
        return reinterpret_cast<const RrsetHeader*>(wire() + ((size + 3) & ~std::size_t{3}));
    }
};

/// A name. Its wire form follows, lower case, padded with zeros to words of eight; then its record sets.
struct Node {
    enum Flag : std::uint8_t {
        cut = 1,          ///< NS below the apex: what is here and below belongs to another
        occluded = 2,     ///< below a cut or a DNAME: glue, or nothing
        has_wildcard = 4, ///< "*" exists right below
        service = 8,      ///< A and AAAA come from service `service_index`
        cname = 16,
        dname = 32,
        apex = 64
    };
    std::uint8_t name_length;
    std::uint8_t flags;
    std::uint16_t rrsets;
    std::uint32_t zone;
    std::uint32_t service_index;

    const std::uint8_t* name() const { return reinterpret_cast<const std::uint8_t*>(this + 1); }
    bool is(unsigned flag) const { return flags & flag; }
    const RrsetHeader* first() const {
        return reinterpret_cast<const RrsetHeader*>(name() + ((name_length + 7u) & ~7u));
    }
    const RrsetHeader* find(std::uint16_t type) const {
        const RrsetHeader* set = first();
        for (unsigned n = rrsets; n; --n, set = set->next())
            if (set->type == type) return set;
        return nullptr;
    }
};

/// What is known of a zone once its names are in the table.
struct ZoneInfo {
    const RrsetHeader* negative_soa = nullptr; ///< TTL min(SOA TTL, minimum), RFC 2308 section 3
    const Node* parent_side = nullptr; ///< of an apex inside another zone of ours: where DS is answered
    std::uint8_t apex_length = 0;
};

class NameTable {
  public:
    struct Slot {
        std::uint32_t tag;
        std::uint32_t node; ///< offset in words of four octets; 0: free
    };

    NameTable() = default;
    NameTable(NameTable&&) = default;
    NameTable& operator=(NameTable&&) = default;

    void prefetch_slot(std::uint64_t hash) const noexcept { __builtin_prefetch(&slots_[home(hash)]); }

    /// The node that is probably meant (hash tags agree), fetched into the cache but not looked at.
    void prefetch_node(std::uint64_t hash) const noexcept {
        for (std::size_t i = home(hash); slots_[i].node; i = after(i)) {
            if (slots_[i].tag != static_cast<std::uint32_t>(hash)) continue;
            const auto* node = reinterpret_cast<const char*>(at(slots_[i].node));
            __builtin_prefetch(node);
            __builtin_prefetch(node + 64);
            return;
        }
    }

    /// `name` is lower case, padded so that words may be read past its end.
    const Node* find(const std::uint8_t* name, std::size_t length, std::uint64_t hash) const noexcept {
        for (std::size_t i = home(hash); slots_[i].node; i = after(i))
            if (slots_[i].tag == static_cast<std::uint32_t>(hash))
                if (const Node* node = at(slots_[i].node); same(*node, name, length)) return node;
        return nullptr;
    }
    const Node* find(const FoldedName& name) const noexcept {
        return find(name.bytes, name.length, name.hash);
    }

    const ZoneInfo& zone(std::uint32_t index) const { return zones_[index]; }
    unsigned max_labels() const { return max_labels_; } ///< of any name here
    std::size_t names() const { return names_; }
    std::size_t bytes() const {
        return used_ + slots_.size() * sizeof(Slot) + zones_.size() * sizeof(ZoneInfo);
    }

  private:
    friend class TableBuilder;

    // The high half of the hash scaled to the number of slots, which therefore need be no power of two.
    std::size_t home(std::uint64_t hash) const noexcept { return (hash >> 32) * slots_.size() >> 32; }
    std::size_t after(std::size_t i) const noexcept { return ++i == slots_.size() ? 0 : i; }
    const Node* at(std::uint32_t words) const noexcept {
        return reinterpret_cast<const Node*>(block_.get() + std::size_t{words} * 4);
    }
    static bool same(const Node& node, const std::uint8_t* name, std::size_t length) noexcept {
        if (node.name_length != length) return false;
        for (std::size_t i = 0; i < length; i += 8)
            if (load64(node.name() + i) != load64(name + i)) return false;
        return true;
    }

    struct Free {
        void operator()(std::uint8_t* p) const { std::free(p); }
    };
    std::vector<Slot> slots_{Slot{0, 0}};
    std::unique_ptr<std::uint8_t[], Free> block_;
    std::size_t used_ = 0;
    std::vector<ZoneInfo> zones_;
    std::size_t names_ = 0;
    unsigned max_labels_ = 0;
};

} // namespace fairway::dns
