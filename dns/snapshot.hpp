// What is answered at one moment, in wire form and immutable; any number of workers read it.
//
// It has three parts: the static one (names, zones), which lives as long as a configuration, the clients'
// networks, and one block of answers a service. A verdict makes a new snapshot that shares all but the blocks
// it replaces.
#pragma once

#include "dns/name_table.hpp"
#include "dns/network_table.hpp"
#include "dns/service_answers.hpp"

#include <span>

namespace fairway::dns {

/// Built once a configuration.
struct StaticPart {
    NameTable names;
    DnsSettings settings; ///< the rules and limits of messages
};

/// Where clients are: built once a configuration, and whenever more is known of them.
struct ClientPart {
    NetworkTable networks;
    std::size_t classes = 1;
};

struct Snapshot {
    std::uint64_t generation = 0;
    std::shared_ptr<const StaticPart> fixed;
    std::shared_ptr<const ClientPart> clients;
    std::vector<ServiceAnswers::Ptr> services; ///< by ServiceIndex
    std::shared_ptr<ClientTables> tables; ///< for the next snapshot made of this one; no worker looks at it
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// Everything anew; takes tens of milliseconds for 100,000 names, so not on the control thread.
/// `plans`: one a service of the model. A service in no zone of the model is left out.
SnapshotPtr compile(const Model& model, std::span<const AnswerPlan> plans, std::uint64_t generation);

/// `previous`, of the same model, with the plans of the services in `changed` replaced. `plans` has one a
/// service.
SnapshotPtr with_plans(const Snapshot& previous, std::span<const ServiceIndex> changed,
                       std::span<const AnswerPlan> plans, std::uint64_t generation);

/// `previous`, of a model that differs from `model` in its clients alone; every service is undecided.
SnapshotPtr with_clients(const Snapshot& previous, const Model& model);

} // namespace fairway::dns
