// Record data from its presentation form. ldns is known to rdata.cpp alone.
#pragma once

#include "config/name.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fairway::load {

/// The number of a type ("MX", "TYPE65400"); nothing if there is no such type or it never stands in a zone.
std::optional<std::uint16_t> record_type(std::string_view word);

/// Names of the common types, for the nearest word.
std::span<const std::string_view> common_types();

/// Reads record data relative to an origin. Keeps buffers, so make one and use it for a whole file.
class RdataReader {
  public:
    explicit RdataReader(const Name& origin);
    ~RdataReader();
    void set_origin(const Name& origin);

    /// Wire form, uncompressed, valid until the next call; nothing if it is wrong, and `error` says why.
    std::optional<std::span<const std::uint8_t>> read(std::uint16_t type, std::string_view data,
                                                      std::string& error);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace fairway::load
