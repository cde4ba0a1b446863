#include "dns/snapshot.hpp"

#include "dns/table_builder.hpp"

#include <algorithm>
#include <cassert>

namespace fairway::dns {

namespace {
// RFC 5001 sets no limit; a name of this length leaves room for a question within 512 octets.
constexpr std::size_t max_nsid = 128;
} // namespace

namespace {

std::shared_ptr<const ClientPart> client_part(const Clients& clients) {
    return std::make_shared<const ClientPart>(
        ClientPart{NetworkTable(clients.networks), clients.classes.size()});
}

void put_services(Snapshot& snapshot, std::span<const AnswerPlan> plans) {
    snapshot.tables = std::make_shared<ClientTables>();
    snapshot.services.clear();
    snapshot.services.reserve(plans.size());
    for (const auto& plan : plans)
        snapshot.services.push_back(ServiceAnswers::make(plan, snapshot.clients->classes, *snapshot.tables));
}

} // namespace

SnapshotPtr compile(const Model& model, std::span<const AnswerPlan> plans, std::uint64_t generation) {
    assert(plans.size() == model.services.size());
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->generation = generation;
    DnsSettings settings = model.dns;
    settings.nsid.resize(std::min(settings.nsid.size(), max_nsid));
    snapshot->fixed =
        std::make_shared<const StaticPart>(StaticPart{TableBuilder(model).build(), std::move(settings)});
    snapshot->clients = client_part(model.clients);
    put_services(*snapshot, plans);
    return snapshot;
}

SnapshotPtr with_plans(const Snapshot& previous, std::span<const ServiceIndex> changed,
                       std::span<const AnswerPlan> plans, std::uint64_t generation) {
    assert(plans.size() == previous.services.size());
    auto snapshot = std::make_shared<Snapshot>(previous);
    snapshot->generation = generation;
    for (const ServiceIndex s : changed)
        snapshot->services[s] = ServiceAnswers::make(plans[s], previous.clients->classes, *snapshot->tables);
    return snapshot;
}

SnapshotPtr with_clients(const Snapshot& previous, const Model& model) {
    auto snapshot = std::make_shared<Snapshot>(previous);
    snapshot->clients = client_part(model.clients);
    put_services(*snapshot, std::vector<AnswerPlan>(previous.services.size()));
    return snapshot;
}

} // namespace fairway::dns
