#include "policies/overrides.hpp"

#include <algorithm>
#include <array>

namespace fairway::policies {

std::string_view to_string(Override::Kind kind) {
    static constexpr std::array<std::string_view, 6> words{"force-down", "maintenance", "drain",
                                                           "force-up",   "freeze",      "drill"};
    return words[static_cast<std::size_t>(kind)];
}

std::string Scope::to_string() const {
    std::string text = service;
    if (!tag.empty()) text = "services tagged " + tag;
    if (text.empty()) return datacenter.empty() ? "everything" : "datacenter " + datacenter;
    return datacenter.empty() ? text : text + " in " + datacenter;
}

bool covers(const Scope& scope, const Place& place) {
    return (scope.service.empty() || scope.service == place.service) &&
           (scope.datacenter.empty() || scope.datacenter == place.datacenter) &&
           (scope.tag.empty() || std::ranges::find(place.tags, scope.tag) != place.tags.end());
}

namespace {

/// endpoint > service > datacenter > tag
int narrowness(const Scope& s) {
    return (s.service.empty() ? 0 : 4) + (s.datacenter.empty() ? 0 : 2) + (s.tag.empty() ? 0 : 1);
}

bool stronger(const Override& a, const Override& b) {
    if (a.kind != b.kind) return a.kind < b.kind;
    return narrowness(a.scope) > narrowness(b.scope);
}

} // namespace

const Override* ruling(std::span<const Override> overrides, const Place& place, WallTime now) {
    const Override* found = nullptr;
    for (const Override& o : overrides)
        if (o.kind < Override::Kind::freeze && o.expires > now && covers(o.scope, place) &&
            (!found || stronger(o, *found)))
            found = &o;
    return found;
}

const Override* freezing(std::span<const Override> overrides, std::string_view service, WallTime now) {
    for (const Override& o : overrides)
        if (o.kind == Override::Kind::freeze && o.expires > now &&
            (o.scope.service.empty() || o.scope.service == service))
            return &o;
    return nullptr;
}

} // namespace fairway::policies
