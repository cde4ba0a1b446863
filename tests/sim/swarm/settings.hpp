// A random small installation, as the YAML that an operator could have written.
#pragma once

#include "tests/sim/random.hpp"

#include <string>
#include <vector>

namespace fairway::sim {

/// What the swarm has to know of a service to judge its answers.
struct Drawn {
    std::string name; ///< first label
    bool follows = false;
    bool by_approval = false;
    std::string on_all_down, on_no_primary; ///< empty: the default
    bool manual_failback = false;
    bool ordered = false; ///< by priority, over all sites
    bool grouped = false;
};

struct Settings {
    std::string yaml;
    std::vector<std::string> sites;
    std::vector<Drawn> services;
    std::vector<std::string> together; ///< services of one group that answer one site: the first leads
    bool inside = false;               ///< the node stands in the first site
    bool references = false;
};

Settings draw_settings(Random& random);

} // namespace fairway::sim
