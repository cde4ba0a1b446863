#include "probes/push.hpp"

#include <array>

namespace fairway::probes {

void PushDesk::assign(std::vector<Assignment> members) {
    std::map<Key, Reporter> before = std::exchange(reporters_, {});
    std::vector<Assignment> rest;
    for (Assignment& a : members) {
        const auto* push = std::get_if<PushCheck>(&a.spec.check->kind);
        if (!push) {
            rest.push_back(std::move(a));
            continue;
        }
        const Key key{a.spec.check->name, a.spec.datacenter};
        Reporter& r = reporters_[key];
        r = {a.member, push->ttl, {}};
        const auto known = before.find(key);
        if (known != before.end() && known->second.id == a.member)
            r.silence = std::move(known->second.silence);
        else wait(key, r);
    }
    others_.assign(std::move(rest));
}

void PushDesk::look(std::span<const MemberId> members) { others_.look(members); }

bool PushDesk::report(const std::string& check, const std::string& datacenter, Finding said) {
    const Key key{check, datacenter};
    const auto r = reporters_.find(key);
    if (r == reporters_.end()) return false;
    wait(key, r->second);
    tell(r->second, std::move(said));
    return true;
}

void PushDesk::wait(const Key& key, Reporter& r) {
    r.silence = control_.after(r.ttl, [this, key] {
        Reporter& silent = reporters_.at(key);
        const auto spent = std::move(silent.silence); // alive until we are done: it is what called us
        wait(key, silent);
        tell(silent, {Outcome::unknown, Reason::no_data, "no report for " + to_string(silent.ttl), {}});
    });
}

void PushDesk::tell(const Reporter& r, Finding found) {
    const Instant now = control_.now().mono;
    Observation seen{.member = r.id,
                     .outcome = found.outcome,
                     .reason = found.reason,
                     .detail = std::move(found.detail),
                     .facts = std::move(found.facts),
                     .begun = now,
                     .ended = now};
    sink_(std::array{std::move(seen)});
}

} // namespace fairway::probes
