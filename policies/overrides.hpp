// Overrides (L19): an operator's word over health. The kind decides first, the scope only between overrides
// of one kind.
#pragma once

#include "config/model.hpp"
#include "policies/command.hpp"

#include <span>

namespace fairway::policies {

/// What a scope is compared with.
struct Place {
    std::string_view service; ///< its title
    std::string_view datacenter;
    std::span<const std::string> tags; ///< of the service
    const Group* group = nullptr;      ///< that it moves with: what takes one of them out takes all
};

Place place_of(const Model& model, const Service& service, std::string_view name,
               std::string_view datacenter = {});

/// `alone`: the service itself, whatever it moves with.
bool covers(const Scope& scope, const Place& place, bool alone = false);

/// The override that rules an endpoint at `now`: force-down, then maintenance, drain, force-up; the narrowest
/// of several of one kind. Null: health does.
const Override* ruling(std::span<const Override> overrides, const Place& place, WallTime now);

/// All but force-up take their place out of the answers.
inline bool excludes(const Override* o) { return o && o->kind != Override::Kind::force_up; }

/// The place is under maintenance, whatever else rules it: what is said of it is no news.
bool maintained(std::span<const Override> overrides, const Place& place, WallTime now);

/// The freeze that holds a service's answer, or that of one it moves with; null: none does.
const Override* freezing(std::span<const Override> overrides, const Place& place, WallTime now);

} // namespace fairway::policies
