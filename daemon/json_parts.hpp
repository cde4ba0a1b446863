// What records and reports have in common as JSON. Only for the sources behind serialize.hpp.
#pragma once

#include "daemon/serialize.hpp"

#include <nlohmann/json.hpp>

namespace fairway::daemon::parts {

using Json = nlohmann::ordered_json;

/// What probes and hooks say may be any bytes: those that are no UTF-8 are replaced, never thrown at.
std::string dump(const Json& j);

template<class T> Json maybe(const std::optional<T>& v) { return v ? Json(*v) : Json(nullptr); }

Json switch_record(const policies::Switch& s); ///< times in milliseconds
Json claim(const std::optional<policies::ClaimRecord>& c);
Json shown(const policies::Override& o); ///< times for people

} // namespace fairway::daemon::parts
