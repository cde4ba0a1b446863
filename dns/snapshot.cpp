#include "dns/snapshot.hpp"

#include "dns/table_builder.hpp"

#include <algorithm>
#include <cassert>

namespace fairway::dns {

namespace {
// RFC 5001 sets no limit; a name of this length leaves room for a question within 512 octets.
constexpr std::size_t max_nsid = 128;
} // namespace

SnapshotPtr compile(const Model& model, std::span<const AnswerPlan> plans, std::uint64_t generation) {
    assert(plans.size() == model.services.size());
    auto snapshot = std::make_shared<Snapshot>();
    const std::size_t classes = model.clients.classes.size();
    snapshot->generation = generation;
    DnsSettings settings = model.dns;
    settings.nsid.resize(std::min(settings.nsid.size(), max_nsid));
    snapshot->fixed = std::make_shared<const StaticPart>(StaticPart{
        TableBuilder(model).build(), NetworkTable(model.clients.networks), std::move(settings), classes});
    snapshot->tables = std::make_shared<ClientTables>();
    snapshot->services.reserve(plans.size());
    for (const auto& plan : plans)
        snapshot->services.push_back(ServiceAnswers::make(plan, classes, *snapshot->tables));
    return snapshot;
}

SnapshotPtr with_plans(const Snapshot& previous, std::span<const ServiceIndex> changed,
                       std::span<const AnswerPlan> plans, std::uint64_t generation) {
    assert(plans.size() == previous.services.size());
    auto snapshot = std::make_shared<Snapshot>(previous);
    snapshot->generation = generation;
    for (const ServiceIndex s : changed)
        snapshot->services[s] =
            ServiceAnswers::make(plans[s], previous.fixed->client_classes, *snapshot->tables);
    return snapshot;
}

} // namespace fairway::dns
