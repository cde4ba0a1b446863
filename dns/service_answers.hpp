// All that a service may answer under its present plan, ready to be copied: one immutable block a service.
//
// A verdict replaces the blocks of the services it touches and nothing else.
#pragma once

#include "config/record.hpp"
#include "dns/alias_table.hpp"
#include "dns/client_tables.hpp"
#include "dns/wire.hpp"
#include "policies/answer_plan.hpp"

#include <cstring>
#include <memory>
#include <span>

namespace fairway::dns {

class ServiceAnswers {
  public:
    enum class Kind : std::uint8_t { servfail, nodata, single, draw, by_client, pooled };

    /// Who shares clients, and how: columns to draw from, places to stick to, or one choice.
    struct PoolAt {
        enum class How : std::uint32_t { single, draw, stick };
        std::uint64_t total; // draw: of the weights
        How how;
        std::uint32_t first,
            count; // draw: of the columns; stick: of the places; single: `first` is the choice
        [[maybe_unused]] std::uint32_t padding = 0;
    };
    struct Place {
        std::uint64_t key;
        std::uint32_t weight, choice;
    };

    /// A or AAAA records of one choice, owner a pointer to offset 12. `count` 0: NODATA. Both sets of a
    /// choice that is a name are its CNAME.
    struct Set {
        std::uint32_t offset;
        std::uint16_t size;
        std::uint16_t count;
    };

    using Ptr = std::shared_ptr<const ServiceAnswers>;
    static Ptr make(const AnswerPlan& plan, std::size_t client_classes, ClientTables& tables);

    Kind kind() const { return kind_; }
    bool has_choices() const { return kind_ >= Kind::single; }
    bool has_names() const noexcept { return names_; } ///< some choice is a name
    bool is_name(std::size_t choice) const noexcept {
        return names_ && set(choice, false).count && get16(wire(set(choice, false)) + 2) == rrtype::cname;
    }
    bool has_classes() const noexcept { return classes_ != nullptr; }

    std::size_t by_class(ClientClassIndex c) const noexcept { return classes_[c]; }
    std::size_t by_draw(std::uint64_t random) const noexcept {
        return draw({columns(), columns_}, total_, random);
    }
    const PoolAt& pool(std::size_t i) const noexcept { return pools()[i]; }
    std::size_t by_pool(const PoolAt& pool, const IpAddress& client, std::uint64_t random) const noexcept;
    const Set& set(std::size_t choice, bool v6) const noexcept { return sets()[choice * 2 + v6]; }
    const std::uint8_t* wire(const Set& set) const noexcept {
        return reinterpret_cast<const std::uint8_t*>(this) + set.offset;
    }
    std::size_t bytes() const { return bytes_; }
    /// The whole of a block of some four choices, without a look at it.
    void prefetch() const noexcept {
        for (std::size_t line = 0; line < 4; ++line)
            __builtin_prefetch(reinterpret_cast<const char*>(this) + 64 * line);
    }
    bool operator==(const ServiceAnswers& o) const; ///< equal content: what one plan compiled twice gives

  private:
    struct Compiled;
    ServiceAnswers() = default;

    // This header is followed by: columns (draw, and those of pools), pools, sets (two a choice), places,
    // wire forms.
    const AliasColumn* columns() const { return reinterpret_cast<const AliasColumn*>(this + 1); }
    const PoolAt* pools() const { return reinterpret_cast<const PoolAt*>(columns() + columns_); }
    const Set* sets() const { return reinterpret_cast<const Set*>(pools() + pools_); }
    const Place* places() const { return reinterpret_cast<const Place*>(sets() + 2 * choices_); }

    const std::uint16_t* classes_ = nullptr; // by_client, pooled: of a ClientTable that lives as long as this
    std::uint64_t total_ = 0;                // of the weights
    std::uint32_t bytes_ = 0;                // of this block
    std::uint32_t class_count_ = 0;
    std::uint16_t choices_ = 0;
    std::uint16_t columns_ = 0;
    std::uint16_t pools_ = 0;
    Kind kind_ = Kind::servfail;
    bool names_ = false; // nothing is between these, so that equal blocks are equal octets
};

} // namespace fairway::dns
