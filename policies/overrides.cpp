#include "policies/overrides.hpp"

namespace fairway::policies {

std::string Scope::to_string() const {
    if (service.empty()) return datacenter.empty() ? "everything" : "datacenter " + datacenter;
    return datacenter.empty() ? service : service + " in " + datacenter;
}

bool covers(const Scope& scope, std::string_view service, std::string_view datacenter) {
    return (scope.service.empty() || scope.service == service) &&
           (scope.datacenter.empty() || scope.datacenter == datacenter);
}

namespace {
/// endpoint > service > datacenter
int narrowness(const Scope& s) { return (s.service.empty() ? 0 : 2) + (s.datacenter.empty() ? 0 : 1); }
} // namespace

const Override* excluding(std::span<const Override> overrides, std::string_view service,
                          std::string_view datacenter, WallTime now) {
    const Override* found = nullptr;
    for (const Override& o : overrides)
        if (o.expires > now && covers(o.scope, service, datacenter) &&
            (!found || narrowness(o.scope) > narrowness(found->scope)))
            found = &o;
    return found;
}

} // namespace fairway::policies
