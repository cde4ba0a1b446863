// Makes the name table of a model: gathers names, marks what cuts and wildcards do to them, lays records out.
//
// A few passes over all records with no allocation a name: 100,000 names in some tens of milliseconds.
#pragma once

#include "config/model.hpp"
#include "dns/name_table.hpp"

#include <span>

namespace fairway::dns {

class TableBuilder {
  public:
    explicit TableBuilder(const Model& model) : model_(model) {}
    NameTable build();

  private:
    using DraftIndex = std::uint32_t;
    static constexpr DraftIndex none = ~DraftIndex{0};

    // A name on its way into the table. `name` points into the model: an owner, or the tail of one.
    struct Draft {
        const std::uint8_t* name = nullptr;
        std::uint64_t hash = 0;
        std::uint32_t zone = 0;
        DraftIndex parent = none; // none: an apex
        std::uint32_t service = 0;
        std::uint32_t first = 0; // of its records, in order_
        std::uint32_t count = 0;
        std::uint8_t length = 0;
        std::uint8_t flags = 0;
    };
    using RecordIndices = std::span<std::uint32_t>; // within the records of the draft's zone

    // The passes, in order.
    void add_zones();
    void add_records();
    void add_services();
    void add_parents();
    void mark_occluded();
    void order_records();
    void lay_out();

    DraftIndex find(const std::uint8_t* name, std::size_t length, std::uint64_t hash) const;
    DraftIndex find_or_add(Bytes name, std::uint32_t zone);
    DraftIndex closest_apex(Bytes name) const;
    void grow_index();
    bool belongs_to_inner_zone(std::uint32_t zone, const RecordView& record, std::uint32_t index);
    void mark_type(Draft& draft, std::uint16_t type);

    std::size_t upper_bound() const;
    Node* put_node(const Draft& draft, RecordIndices records);
    void put_rrset(const Draft& draft, RecordIndices records);
    std::size_t put_record(const Draft& owner, const RecordView& record, std::uint32_t ttl);
    void put_zone(std::uint32_t zone);
    void fill_slot(std::uint64_t hash, const Node* node);
    const Records& records_of(const Draft& draft) const { return model_.zones[draft.zone].records; }

    const Model& model_;
    std::vector<Draft> drafts_;        // those of the zones' apexes come first, in the order of zones
    std::vector<DraftIndex> index_;    // open addressing on the hash; none: free
    std::vector<DraftIndex> draft_of_; // per record, zone after zone; none: left out
    std::vector<std::uint32_t> order_; // records by draft
    std::vector<bool> has_inner_;      // per zone: another zone of ours lies below its apex
    std::vector<Draft> parent_side_; // per zone: its apex as the zone around it has it; length 0: not nested
    std::vector<std::vector<std::uint32_t>> parent_records_; // of parent_side_
    bool any_cover_ = false;                                 // some cut or DNAME exists
    NameTable table_;
    NameTable::Bucket* buckets_ = nullptr;
    std::uint8_t* at_ = nullptr;
};

} // namespace fairway::dns
