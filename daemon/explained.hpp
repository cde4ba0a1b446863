// Why a name is answered as it is, and what the packet path really says to the client.
#pragma once

#include "daemon/dns_text.hpp"
#include "policies/report.hpp"

#include <string>

namespace fairway::daemon {

struct Explained {
    policies::Explanation decision;
    std::string type; ///< what was asked for, "AAAA"
    DnsText wire;     ///< one answer of those there may be
};

/// Of a name that is no service: what the answer shows of where it comes from.
policies::Explanation explain_static(const Name& name, const DnsText& wire);

std::string to_json(const Explained& e);

} // namespace fairway::daemon
