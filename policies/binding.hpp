// Binding (L6): which members a service's checks come down to, and which probe each member is.
//
// An application check looks at each answered address; `targets:` names other things, which judge the
// endpoint as a whole, and so does every stateful check. Equal probes are one member, shared by all who need
// it.
#pragma once

#include "config/model.hpp"

#include <map>
#include <string>
#include <vector>

namespace fairway::policies {

using MemberSlot = std::uint32_t; ///< index into Binding::probes

/// What one check of one endpoint looks at.
struct BoundCheck {
    CheckIndex check = 0;
    bool per_address = false; ///< members[i] is about addresses[i]; else all are about the endpoint
    std::vector<MemberSlot> members;
};

struct BoundEndpoint {
    std::vector<BoundCheck> application, stateful;
    std::vector<MemberSlot> load; ///< what reports its load: never judged
};

struct Binding {
    std::vector<ProbeSpec> probes;                    ///< unique by key
    std::vector<std::vector<BoundEndpoint>> services; ///< by service, by endpoint
    std::vector<MemberSlot> references;               ///< L4
};

Binding bind(const Model& model);

/// The checks an expression names, each once, in order.
std::vector<CheckIndex> checks_of(const Expression& e);

} // namespace fairway::policies
