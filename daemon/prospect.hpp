// The prospect: what taking over another configuration would change, before anybody does.
//
// The loader reads it, in its own thread, and takes nothing over; what services would answer is decided in
// the thread that asks (policies/answer_changes.hpp).
#pragma once

#include "config/difference.hpp"
#include "config/model.hpp"
#include "dns/snapshot.hpp"

#include <string>
#include <vector>

namespace fairway::daemon {

struct NameChange {
    std::string name;
    KeyChange::Kind kind = KeyChange::Kind::changed;
};

struct Prospect {
    ModelPtr model; ///< null: it is refused, for `problems`
    std::vector<std::string> problems;
    std::string restart;           ///< the key whose change needs one; empty: none
    std::string loses;             ///< what is refused without force; empty: nothing
    std::vector<KeyChange> keys;   ///< of the files
    std::vector<NameChange> names; ///< whose records, the same for everybody, would be others
};

/// Names with records that are the same for everybody, and are not so in both. Services are left out.
std::vector<NameChange> changed_names(const dns::Snapshot& before, const dns::Snapshot& after);

/// More than half of the services, or of the zones, would be gone: "it would remove 7 of 12 services: ...".
std::string loss_by(const Model& running, const Model& next);

} // namespace fairway::daemon
