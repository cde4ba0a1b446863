// What if: where everything would go were datacenters lost, and what that would mean for their load.
//
// The real decision is asked: a copy of the engine sees the members of the lost sites refuse for two minutes
// while all others go on as they are, and what it comes to is compared with a copy that lost nothing. Nothing
// is published, stored or run. Pure, and slow for large installations (a second): not for the control thread.
#pragma once

#include "policies/engine.hpp"

#include <map>

namespace fairway::policies {

struct WhatIfQuestion {
    struct Down {
        std::string datacenter, service; ///< a service that is down there already
    };
    std::vector<std::string> lose; ///< datacenters
    std::vector<Down> down;
    std::map<std::string, double> loads; ///< by datacenter, instead of what checks report
};

struct WhatIf {
    using Shares = std::vector<std::pair<std::string, double>>; ///< by datacenter, those above 0
    enum class Fate {
        stays,   ///< nothing of it is lost
        moves,   ///< by itself
        runbook, ///< by itself, once the operator's hooks have run and the role is seen
        held,    ///< its answer stays where it is
        nowhere  ///< nothing fit is left: on_all_down
    };
    struct ServiceLine {
        std::string name;
        Fate fate = Fate::stays;
        Shares before, after; ///< of the answers; after the runbook where there is one
        std::string why;
    };
    struct Site {
        std::string name;
        bool lost = false;
        double services_before = 0, services_after = 0; ///< sums of its shares of their answers
        std::optional<double> capacity, load_before, load_after;
    };
    std::vector<ServiceLine> services;
    std::vector<Site> sites;
    std::vector<std::string> warnings; ///< "west: 1200 of 1000, 120 % of its capacity"
};
std::string_view to_string(WhatIf::Fate fate);

WhatIf what_if(const Engine& engine, const WhatIfQuestion& question, Now now);

/// An engine that has seen all of a configuration work for a minute but for what is said to be down: what
/// what_if is asked of without a daemon. The primary of a service is at the first of its order that is not
/// down. Whatever a name of an `alias` has is not known: 192.0.2.1 stands for it.
Engine assumed_well(ModelPtr model, std::span<const WhatIfQuestion::Down> down, Now now);

/// The load of each site when the answers of services move. What a report says is shared out among the
/// services it is of by their shares there (two halves of one name count as one): a report of one service
/// alone is known to be its own, one of many says no more than that. What nobody reports is nobody's.
struct Burden {
    std::string site;
    std::optional<double> load;
};
/// Every site with its load: of one that says nothing any more what it said last.
std::vector<Burden> burdens_of(const Report& r);

std::vector<Burden> predicted(std::span<const Burden> now, std::span<const LoadReport> reports,
                              std::span<const std::pair<WhatIf::Shares, WhatIf::Shares>> moves,
                              const Model& model);

} // namespace fairway::policies
