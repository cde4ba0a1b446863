#include "daemon/explained.hpp"

#include <algorithm>

namespace fairway::daemon {

namespace {

bool refers(const DnsText& wire) {
    return !wire.authoritative &&
           std::ranges::any_of(wire.authority, [](auto& r) { return r.find(" NS ") != std::string::npos; });
}

policies::Explanation::Line line(const DnsText& wire) {
    if (wire.rcode == "REFUSED") return {"name", "", "dropped", "it is in none of our zones"};
    if (wire.rcode == "NXDOMAIN")
        return {"name", "", "none", "its zone has no such name, and no wildcard for it"};
    if (wire.rcode != "NOERROR") return {"name", "", "none", "it is answered " + wire.rcode};
    if (refers(wire))
        return {"name", "", "kept", "it is delegated: who asks is referred to other name servers"};
    if (wire.answer.empty()) return {"name", "", "none", "it has no records of this type"};
    return {"name", "", "kept", "a record of its zone, the same for everybody"};
}

} // namespace

policies::Explanation explain_static(const Name& name, const DnsText& wire) {
    policies::Explanation e{.name = name.to_string()};
    e.lines.push_back(line(wire));
    return e;
}

} // namespace fairway::daemon
