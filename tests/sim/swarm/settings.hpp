// A random small installation, as the YAML that an operator could have written.
#pragma once

#include "tests/sim/random.hpp"

#include <set>
#include <string>
#include <vector>

namespace fairway::sim {

/// What the swarm has to know of a service to judge its answers.
struct Drawn {
    std::string name; ///< first label; of one whose families are apart "s1 A", and "s1 AAAA" is another
    bool follows = false;
    bool by_approval = false;
    std::string on_all_down, on_no_primary; ///< empty: the default
    bool manual_failback = false;
    bool ordered = false; ///< by priority, over all sites
    bool grouped = false;
    bool apart = false; ///< a half: its families are decided apart
};

struct Settings {
    std::string yaml;
    std::vector<std::string> sites;
    std::vector<Drawn> services;
    std::vector<std::string> together; ///< services of one group that answer one site: the first leads
    bool inside = false;               ///< the node stands in the first site
    bool references = false;
};

/// What a world is drawn without: what a failure does not need is left out of its story.
struct Without {
    std::set<std::string> services; ///< by first label
    bool groups = false, rules = false;
    bool operator==(const Without&) const = default;
};

/// What is left out changes nothing of the rest.
Settings draw_settings(Random& random, const Without& without = {});

} // namespace fairway::sim
