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

Place place_of(const Model& model, const Service& service, std::string_view name,
               std::string_view datacenter) {
    return {name, datacenter, service.tags, service.group ? &model.groups[*service.group] : nullptr};
}

namespace {

bool has(std::span<const std::string> list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

} // namespace

bool covers(const Scope& scope, const Place& place, bool alone) {
    const Group* group = alone ? nullptr : place.group;
    return (scope.service.empty() || means(scope.service, place.service) ||
            (group && has(group->names, scope.service))) &&
           (scope.datacenter.empty() || scope.datacenter == place.datacenter) &&
           (scope.tag.empty() || has(place.tags, scope.tag) || (group && has(group->tags, scope.tag)));
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
        if (o.kind < Override::Kind::freeze && o.expires > now &&
            covers(o.scope, place, o.kind == Override::Kind::force_up) && // its health is its own
            (!found || stronger(o, *found)))
            found = &o;
    return found;
}

bool maintained(std::span<const Override> overrides, const Place& place, WallTime now) {
    return std::ranges::any_of(overrides, [&](const Override& o) {
        return o.kind == Override::Kind::maintenance && o.expires > now && covers(o.scope, place);
    });
}

const Override* freezing(std::span<const Override> overrides, const Place& place, WallTime now) {
    for (const Override& o : overrides)
        if (o.kind == Override::Kind::freeze && o.expires > now && covers(o.scope, place)) return &o;
    return nullptr;
}

} // namespace fairway::policies
