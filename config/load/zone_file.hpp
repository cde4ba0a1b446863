// Zone files (RFC 1035 section 5, RFC 2308's $TTL) and single record lines, into a ZoneBuilder.
#pragma once

#include "config/load/zone_builder.hpp"

namespace fairway::load {

/// The TTL of a record where neither it nor a $TTL says one.
inline constexpr std::uint32_t default_record_ttl = 3600;

/// Reads `file` and what it includes. Every broken line is reported with its file and line, the first twenty
/// of each file; `$INCLUDE` is bounded in depth and number, and a file that includes itself is an error.
/// `named_by` is where the file is named. False if nothing could be read.
bool read_zone_file(const std::string& file, const Place& named_by, ZoneBuilder& zone);

/// The same of a text that is in memory; what it includes lies relative to where we are.
void read_zone_text(std::string_view text, ZoneBuilder& zone);

/// One line of `records:`, relative to the zone's name.
void read_record_line(std::string_view text, const std::shared_ptr<const std::string>& file, int line,
                      int column, ZoneBuilder& zone);

} // namespace fairway::load
