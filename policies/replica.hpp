// A replica: a copy of the world as the engine saw it last, which goes on as it is but for what is said to be
// otherwise. What an operator asks about beforehand is decided there, by the real decision.
//
// Nothing is published, stored or run. Pure, and slow for large installations: not for the control thread.
#pragma once

#include "policies/binding.hpp"
#include "policies/what_if.hpp"

#include <set>
#include <vector>

namespace fairway::policies {

class Replica {
  public:
    Replica(const Engine& engine, Now now); ///< its copy
    void lose(const std::set<std::string>& datacenters);
    void take_down(std::span<const WhatIfQuestion::Down> down);
    /// Goes on with another configuration. A target that another check has looked at says the same there; one
    /// that nobody has looked at is taken to be well: these are returned.
    std::vector<std::string> reload(const ModelPtr& next);

    /// For longer than the brake holds, and than an ordinary switchover may take, by default.
    Report runs();
    const Engine& engine() const { return engine_; }

  private:
    struct Seen {
        Observation last;
        std::string datacenter;
        bool lost = false;
    };
    void look(Duration later);

    Engine engine_;
    std::vector<Seen> seen_;
    Now now_;
};

/// What a member would say if all were well.
Observation well(const Member& m, bool primary, Now now);

/// Where primaries are, if all is well: the first of each order that is not `down`, of services that follow
/// one.
std::set<MemberSlot> first_primaries(const Model& model, const Binding& binding,
                                     std::span<const WhatIfQuestion::Down> down);

/// The members of a service's endpoint in a datacenter.
std::vector<MemberSlot> members_of(const BoundEndpoint& bound);

/// An alias whose name has not been resolved is taken to have this address (RFC 5737).
void resolve_assumed(Engine& engine, std::span<const std::string> names, Now now);

} // namespace fairway::policies
