// A zone in the making: records with the places they came from, and the rules that hold between them.
#pragma once

#include "config/diagnostics.hpp"
#include "config/model.hpp"

#include <memory>
#include <set>

namespace fairway::load {

class ZoneBuilder {
  public:
    ZoneBuilder(Name name, Diagnostics& problems) : name_(std::move(name)), problems_(problems) {}

    const Name& name() const { return name_; }
    Diagnostics& problems() const { return problems_; }

    /// Refuses, with its place, what is not under the zone and a second SOA.
    void add(const Name& owner, std::uint16_t type, std::uint32_t ttl, std::span<const std::uint8_t> rdata,
             const std::shared_ptr<const std::string>& file, int line, int column = 0);

    bool has(std::uint16_t type) const; ///< at the apex
    std::size_t apex_name_servers() const { return name_servers_; }
    std::uint32_t negative_ttl() const { return negative_ttl_; } ///< RFC 2308 section 5
    const Records& records() const { return records_; }

    /// What only the whole zone shows: a CNAME beside other data, records given twice (dropped), and services
    /// that collide with records or lie below a delegation. `services` are those of this zone, with their
    /// places.
    void check(const std::map<Name, Place>& services);

    Zone take() { return {name_, std::move(records_)}; }

  private:
    struct Origin {
        std::uint32_t line, column;
        std::uint16_t file;
    };
    Place place_of(std::size_t record) const;
    void note_apex(std::uint16_t type, std::uint32_t ttl, std::span<const std::uint8_t> rdata);
    void check_cnames();
    void check_service(const Name& service, const Place& place, std::size_t record);
    void check_services(const std::map<Name, Place>& services);
    void drop_duplicates();

    Name name_;
    Diagnostics& problems_;
    Records records_;
    std::vector<Origin> origins_; ///< as records_
    std::vector<std::shared_ptr<const std::string>> files_;
    std::set<std::uint16_t> apex_types_;
    std::size_t name_servers_ = 0;
    std::uint32_t negative_ttl_ = 0;
    Place soa_;
};

} // namespace fairway::load
