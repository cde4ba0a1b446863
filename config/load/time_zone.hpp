// Time zones as the system has them: a TZif file (RFC 8536) becomes a list of offsets, so that nothing that
// decides asks the C library, whose time zones belong to the process.
#pragma once

#include "config/limits.hpp"

#include <filesystem>
#include <string>

namespace fairway::load {

inline const std::filesystem::path zone_files = "/usr/share/zoneinfo"; ///< package tzdata

/// "Europe/Berlin". Null: there is no such zone, or its file is none; `why` says which.
std::shared_ptr<const TimeZone> read_time_zone(const std::string& name, std::string& why,
                                               const std::filesystem::path& directory = zone_files);

} // namespace fairway::load
