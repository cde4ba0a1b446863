// Every name this node answers for, in one immutable block: hash buckets, and nodes that hold a name and its
// records.
//
// A record lies there as it will be sent, its owner a pointer to offset 12 where the question has it. A query
// for a plain name thus costs a bucket's cache line, a node's one or two, and a copy. Empty non-terminals
// have nodes too, so that a name exists exactly if it is found, and names below a cut or a DNAME are marked.
#pragma once

#include "dns/folded_name.hpp"

#include <array>
#include <cstdlib>
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

/// A name. Its wire form follows, lower case, padded with zeros to words of eight; then its record sets, and
/// at the end of all nodes as much as one copy may read too far.
struct Node {
    enum Flag : std::uint8_t {
        cut = 1,          ///< NS below the apex: what is here and below belongs to another
        occluded = 2,     ///< below a cut or a DNAME: glue, or nothing
        has_wildcard = 4, ///< "*" exists right below
        service = 8,      ///< A and AAAA come from service `service_index`
        cname = 16,
        dname = 32,
        apex = 64,
        apart = 128 ///< of a service: AAAA comes from the one after it
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
    /// Where its pointers lie: to the owner, and perhaps in its two names. 0 beyond the last.
    std::array<std::uint16_t, 3> soa_pointers{};
    const Node* parent_side = nullptr; ///< of an apex inside another zone of ours: where DS is answered
    std::uint8_t apex_length = 0;
};

class NameTable {
  public:
    struct Slot {
        std::uint32_t tag;
        std::uint32_t node; ///< offset in words of four octets; 0: free
    };
    /// A cache line. A name is in the bucket its hash says, from the slot its hash says on round about, or,
    /// where that bucket is full, in the next one.
    struct alignas(64) Bucket {
        Slot slots[8];
    };

    NameTable() = default;

    void prefetch_slot(std::uint64_t hash) const noexcept { __builtin_prefetch(&buckets_[home(hash)]); }

    /// The node that is probably meant (its hash's tag agrees), fetched into the cache but not looked at.
    const Node* prefetch_node(std::uint64_t hash) const noexcept {
        const Node* const node = search(hash, [](const Node&) { return true; });
        if (node) {
            __builtin_prefetch(node);
            __builtin_prefetch(reinterpret_cast<const char*>(node) + 64);
        }
        return node;
    }

    /// `name` is lower case, padded with zeros so that blocks may be read past its end.
    const Node* find(const std::uint8_t* name, std::size_t length, std::uint64_t hash) const noexcept {
        return search(hash, [&](const Node& node) { return same(node, name, length); });
    }
    const Node* find(const FoldedName& name) const noexcept {
        return find(name.bytes, name.length, name.hash);
    }
    /// The same where prefetch_node() has said `likely`: without one there is none.
    const Node* find(const FoldedName& name, const Node* likely) const noexcept {
        if (!likely || same(*likely, name.bytes, name.length)) return likely;
        return find(name);
    }

    /// Every node once, in no order.
    template<class Visit> void each(Visit visit) const {
        for (std::size_t b = 0; b < bucket_count_; ++b)
            for (const Slot& slot : buckets_[b].slots)
                if (slot.node) visit(*at(slot.node));
    }

    const ZoneInfo& zone(std::uint32_t index) const { return zones_[index]; }
    unsigned max_labels() const { return max_labels_; } ///< of any name here
    std::size_t names() const { return names_; }
    std::size_t bytes() const { return used_ + zones_.size() * sizeof(ZoneInfo); }

  private:
    friend class TableBuilder;

    // The high half of the hash scaled to the number of buckets, which therefore need be no power of two.
    std::size_t home(std::uint64_t hash) const noexcept { return (hash >> 32) * bucket_count_ >> 32; }
    std::size_t after(std::size_t i) const noexcept { return ++i == bucket_count_ ? 0 : i; }
    const Node* at(std::uint32_t words) const noexcept {
        return reinterpret_cast<const Node*>(block_.get() + std::size_t{words} * 4);
    }
    template<class Accept> const Node* search(std::uint64_t hash, Accept accept) const noexcept {
        const auto tag = static_cast<std::uint32_t>(hash);
        const std::uint32_t first = tag % 8;
        for (std::size_t b = home(hash);; b = after(b)) {
            const Slot* const slots = buckets_[b].slots;
            std::uint32_t k = first;
            do {
                const Slot& slot = slots[k];
                if (slot.node == 0) return nullptr;
                if (slot.tag == tag)
                    if (const Node* const node = at(slot.node); accept(*node)) return node;
                k = (k + 1) % 8;
            } while (k != first);
        }
    }
    static bool differ(const std::uint8_t* a, const std::uint8_t* b) noexcept { // in a block
        return (load64(a) ^ load64(b)) | (load64(a + 8) ^ load64(b + 8));
    }
    static bool same(const Node& node, const std::uint8_t* name, std::size_t length) noexcept {
        if (node.name_length != length) return false;
        const std::uint8_t* const own = node.name();
        if (length <= 8) return load64(own) == load64(name);
        if (length <= block_size) return !differ(own, name);
        for (std::size_t i = 0; i + block_size < length; i += block_size)
            if (differ(own + i, name + i)) return false;
        return !differ(own + length - block_size, name + length - block_size);
    }

    struct Free {
        void operator()(std::uint8_t* p) const { std::free(p); }
    };
    static constexpr Bucket no_names{};
    const Bucket* buckets_ = &no_names; // at the start of the block
    std::size_t bucket_count_ = 1;
    std::unique_ptr<std::uint8_t[], Free> block_;
    std::size_t used_ = 0;
    std::vector<ZoneInfo> zones_;
    std::size_t names_ = 0;
    unsigned max_labels_ = 0;
};

} // namespace fairway::dns
