// Why a service answers what it answers, in one sentence (O1).
#include "policies/all_down.hpp"
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

std::vector<double> by_endpoint(const AnswerPlan& plan, std::size_t endpoints) {
    std::vector<double> share(endpoints, 0);
    const auto all = shares(plan);
    for (std::size_t i = 0; i < all.size(); ++i)
        if (plan.choices[i].endpoint < endpoints) share[plan.choices[i].endpoint] += all[i];
    return share;
}

/// What happened to an endpoint that gets another share now: best to one that is answered no longer, else to
/// one that was not before. Null: to none.
const Cause* decisive(const Turn& t, const AnswerPlan& before, const AnswerPlan& after) {
    const Cause* best = nullptr;
    int least = 3;
    const auto had = by_endpoint(before, t.s.endpoints.size()), has = by_endpoint(after, had.size());
    for (const Cause& c : t.causes) {
        const double was = had[c.endpoint], is = has[c.endpoint];
        const int rank = was > 0 && is == 0 ? 0 : (was == 0 && is > 0 ? 1 : (was != is ? 2 : 3));
        if (rank >= least) continue;
        least = rank;
        best = &c;
    }
    return best;
}

/// What is true of those that are answered, whatever the turn was about.
std::string standing_reason(const Turn& t, const AnswerPlan& plan) {
    std::string fit, other;
    bool undecided = false;
    const auto share = by_endpoint(plan, t.s.endpoints.size());
    for (EndpointIndex e = 0; e < share.size(); ++e) {
        if (share[e] == 0) continue;
        const EndpointState& state = t.s.endpoints[e];
        if (state.fit) fit += (fit.empty() ? "" : ", ") + t.datacenter(e);
        else if (state.pressed) other += "; " + t.datacenter(e) + " passes, and nothing else is fit";
        else other += "; " + t.datacenter(e) + ": " + unfit_reason(t.s, t.c, e);
        undecided |= state.readiness == Readiness::undecided;
    }
    if (undecided && t.s.warm) return "as before the restart";
    if (fit.empty()) return other.empty() ? "nothing can be answered" : other.substr(2);
    return fit + (fit.find(',') != fit.npos ? " are fit" : " is fit") + other;
}

std::string followed_reason(const Turn& t) {
    const std::string& dc = t.datacenter(t.s.followed->endpoint);
    const auto& epoch = t.s.followed->epoch;
    if (t.s.no_primary_critical && t.c.service.on_no_primary == Service::OnNoPrimary::standby)
        return "no primary for " + brief(t.c.service.no_primary_hold) + ": a standby is answered";
    if (t.s.no_primary) return "no primary is seen, the answer stays at " + dc;
    return dc + (t.s.claimed ? " holds the primary (" : " held the primary when it was seen last (") +
           (epoch ? "epoch " + std::to_string(*epoch) : "no epoch") + ")";
}

/// The turn took a decision: the latch has moved, a switch was done, another primary is followed.
bool decided(const Turn& t) {
    return !t.why.empty() && std::ranges::none_of(t.causes, [&](auto& c) { return c.why == t.why; });
}

} // namespace

Cause reason_of(const Turn& t, const AnswerPlan& before, const AnswerPlan& after) {
    const Cause* found = decisive(t, before, after);
    Cause cause = found ? *found : Cause{.why = {}, .evidence = t.evidence, .fault = t.fault};
    if (!has_family(t.c.service)) cause.why = "no endpoint has an address of this family";
    else if (t.s.all_excluded) cause.why = "everything it could answer is excluded by an operator: SERVFAIL";
    else if (t.s.all_down)
        cause.why = "nothing is fit, on_all_down is " + std::string(to_string(t.c.service.on_all_down.mode)) +
                    (found || !t.why.empty() ? ": " + (found ? found->why : t.why) : "");
    else if (decided(t)) cause.why = t.why;
    else if (t.c.service.follows_primary() && t.s.followed) cause.why = followed_reason(t);
    else if (!found) cause.why = standing_reason(t, after);
    return cause;
}

} // namespace fairway::policies
