// Eventually consistent stores (S4): both sides take writes while the link between them is down, so their
// data drift apart. That is told with its duration; which rows differ nobody can know from here.
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

/// A look every interval has to show that writes go on; one that is late is no end of them.
Duration writes_count_for(const CheckTiming& t) { return 3 * t.interval + t.timeout; }

constexpr Duration known_after = 10s; ///< of a start: two looks at each side, and `fall` results

struct Store {
    std::optional<Instant> written; ///< takes writes, and its log has grown lately: when last
    std::optional<Instant> cut;     ///< since when it says that what the others write does not reach it
};

Store store_of(const ServiceContext& c, EndpointIndex e) {
    Store s;
    for (const BoundCheck& b : c.bound[e].stateful)
        for (MemberSlot slot : b.members) {
            const MemberState& m = c.members[slot];
            const Facts& facts = m.health.last.facts;
            const bool writable = m.health.works.verdict == Readiness::ready && facts.role != Role::standby &&
                                  facts.read_only != true;
            const bool late = m.advanced && c.now.mono - *m.advanced > writes_count_for(m.spec.check->timing);
            if (writable && m.advanced && !late)
                s.written = std::max(s.written.value_or(Instant{}), *m.advanced);
            if (writable && m.unlinked) s.cut = std::min(s.cut.value_or(Instant::max()), *m.unlinked);
            const Run& keeps_up = m.health.keeps_up;
            if (m.health.works.verdict == Readiness::ready && keeps_up.verdict == Readiness::unready)
                s.cut = std::min(s.cut.value_or(Instant::max()), keeps_up.since);
        }
    return s;
}

/// A link that works is enough where no limit is given.
bool behind(const MemberState& m) {
    const Facts& f = m.health.last.facts;
    const auto& limit = m.spec.check->requirements.max_lag;
    return m.unlinked || (limit && f.behind && *f.behind > *limit);
}

} // namespace

bool catches_up(const ServiceState& s, const ServiceContext& c, EndpointIndex e) {
    const EndpointState& state = s.endpoints[e];
    if (c.service.consistency != Service::Consistency::eventual || state.fit || !state.was_fit) return false;
    for (const BoundCheck& b : c.bound[e].stateful)
        for (MemberSlot slot : b.members)
            if (c.members[slot].health.works.verdict == Readiness::ready && behind(c.members[slot]))
                return true;
    return false;
}

void watch_divergence(Turn& t) {
    if (t.c.service.consistency != Service::Consistency::eventual) return;
    std::vector<Store> stores;
    std::optional<Instant> cut;
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e) {
        stores.push_back(store_of(t.c, e));
        if (stores.back().cut) cut = std::min(cut.value_or(Instant::max()), *stores.back().cut);
    }
    std::string writers;
    unsigned count = 0;
    for (EndpointIndex e = 0; e < stores.size(); ++e) {
        if (!cut || !stores[e].written || *stores[e].written <= *cut) continue; // as long as they were one
        writers += (writers.empty() ? "" : " and ") + t.datacenter(e);
        ++count;
    }
    bool watched = cut.has_value(); // that writes go on or end, that it has caught up, changes no verdict
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e) watched |= catches_up(t.s, t.c, e);
    if (watched) t.due(t.c.now.mono + 1s);
    const bool diverging = count >= 2;
    if (diverging == t.s.diverging_since.has_value()) return;
    if (!diverging && t.c.now.mono - t.s.born < known_after) return; // a start knows of no writes yet
    t.noted = true;
    if (diverging) {
        t.s.diverging_since = t.c.now.wall;
        t.say(Change::diverging, Severity::critical,
              writers + " take writes while replication between them is down: their data drift apart");
    } else {
        const auto lasted = t.c.now.wall - *t.s.diverging_since;
        t.s.diverging_since.reset();
        t.say(Change::diverging_over, Severity::warning,
              "the stores no longer drift apart, after " + brief(lasted) +
                  (cut ? ": only one side takes writes now" : ": replication runs again") +
                  "; what was written on both sides meanwhile is for the store to merge");
    }
}

} // namespace fairway::policies
