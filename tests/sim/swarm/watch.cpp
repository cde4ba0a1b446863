#include "tests/sim/swarm/watch.hpp"

#include <algorithm>
#include <cstdio>

namespace fairway::sim {

namespace {

/// With the defaults: silence is DOWN after 9 s, and a member that passes has passed `rise` times after 10 s;
/// a second for looking once a second, and one for the 500 ms a failing disk may keep an answer waiting.
constexpr auto surely_known = 9s + 2s + 2s;
constexpr auto surely_risen = 10s + 2s + 2s;
/// A claim is fresh for 2 intervals and a timeout after the look that saw it.
constexpr auto claim_memory = 2 * 2s + 2s + 2s;

std::string label(const Service& s) {
    auto name = s.title();
    return name.erase(name.find('.'), std::string_view(".gtm.example.com").size());
}

bool names(const std::string& answer, const std::string& site) {
    return ("+" + answer + "+").find("+" + site + "+") != std::string::npos;
}

} // namespace

void Watch::problem(const std::string& text) {
    if (!told_.insert(text).second) return; // once a world
    char at[32];
    std::snprintf(at, sizeof at, "%+12.3fs ", std::chrono::duration<double>(story_.now()).count());
    problems_ += at + text + "\n";
}

Watch::Truth Watch::seen(const Service& service, EndpointIndex e) const {
    auto& world = story_.world();
    const auto& endpoint = service.endpoints[e];
    Truth truth;
    for (const auto& address : endpoint.addresses) {
        auto& web = world.target(SocketAddress{address, 8080}.to_string());
        Observation seen;
        auto takes = world.see(web, story_.now(), seen);
        truth.works |= seen.outcome == Outcome::pass && takes < 2s;
    }
    if (!service.stateful) return truth;
    auto& server = world.target(SocketAddress{endpoint.addresses.front(), 5432}.to_string());
    Observation seen;
    world.see(server, story_.now(), seen);
    bool answers = seen.outcome == Outcome::pass;
    if (!service.follows_primary()) truth.works &= answers;
    truth.primary = answers && seen.facts.role == Role::primary;
    truth.epoch = seen.facts.epoch.value_or(0);
    return truth;
}

void Watch::see_truth() {
    for (const auto& service : story_.model().services)
        for (EndpointIndex e = 0; e < service.endpoints.size(); ++e) {
            auto now = seen(service, e);
            auto [at, fresh] =
                truth_.try_emplace({label(service), story_.model().datacenter_of(service, e).name}, now);
            auto& known = at->second;
            if (known.works != now.works || fresh) known.since = story_.now();
            if (known.primary != now.primary || known.epoch != now.epoch || fresh)
                known.primary_since = story_.now();
            if (now.primary) known.last_primary = story_.now();
            known.works = now.works;
            known.primary = now.primary;
            known.epoch = now.epoch;
        }
}

void Watch::look() {
    see_truth();
    if (invariant_)
        if (auto broken = invariant_(story_); !broken.empty()) problem(broken);
    if (!story_.running()) return;
    if (!story_.report().doubt) doubts_since_.reset();
    else {
        last_doubt_ = story_.now();
        if (!doubts_since_) doubts_since_ = last_doubt_;
    }
    for (const auto& service : settings_.services) {
        const auto& all = story_.history(service.name).all();
        auto& judged = judged_[service.name];
        for (; judged < all.size(); ++judged) {
            if (all[judged].text == "no daemon") continue;
            judge_empty(service, all[judged]);
            const Answer* before = nullptr;
            for (auto i = judged; i-- > 0 && !before;)
                if (all[i].text != "no daemon") before = &all[i];
            if (service.follows && before && before->text != all[judged].text)
                judge_following(service, *before, all[judged]);
        }
        judge_excluded(service, all.back());
        judge_living(service, all.back());
    }
    judge_switches();
    judge_together();
}

/// The services of an active/passive group answer one datacenter. What is answered empty, or of several, is
/// another matter; and a disk that hangs lets answers wait for at most half a second.
void Watch::judge_together() {
    std::set<std::string> sites;
    for (const auto& name : settings_.together)
        for (const auto& site : settings_.sites)
            if (story_.answers(name) == site) sites.insert(site);
    if (sites.size() < 2) return apart_since_.reset();
    const auto stands_in = [&](const std::string& name) { // what on_all_down chose
        return story_.report(name).state.starts_with("all down");
    };
    if (std::ranges::any_of(settings_.together, stands_in)) return apart_since_.reset();
    if (!apart_since_) apart_since_ = story_.now();
    const bool starting = story_.now() - faults_.last_restart() <= 12s;
    if (starting || story_.now() - *apart_since_ < 1s) return;
    problem("a group is apart: " + *sites.begin() + " and " + *sites.rbegin());
}

bool Watch::deciding_for_itself() const {
    return story_.world().uplink && story_.world().interface && story_.disk().failure.empty() &&
           !story_.disk().hangs && story_.now() - faults_.own_fault() > 30s;
}

/// Of a group: what is drained of one of them is drained of all.
bool Watch::any_drained(const Drawn& service) const {
    return std::ranges::any_of(settings_.services, [&](const Drawn& other) {
        return (other.name == service.name || (service.grouped && other.grouped)) &&
               std::ranges::any_of(settings_.sites,
                                   [&](const auto& site) { return faults_.drained(other.name, site); });
    });
}

void Watch::judge_empty(const Drawn& service, const Answer& answer) {
    if (answer.text == "NODATA" && service.on_all_down != "nodata")
        problem(service.name + ": NODATA that nobody chose");
    if (answer.text != "SERVFAIL" || service.on_all_down == "servfail") return;
    bool starting = answer.at - faults_.last_restart() <= 10s + 10ms;
    bool excluded = any_drained(service);
    if (!starting && !excluded) problem(service.name + ": SERVFAIL that nobody chose");
}

void Watch::judge_excluded(const Drawn& service, const Answer& answer) {
    if (story_.now() - faults_.last_drain() < 1s) return;    // it is stored first
    if (story_.now() - faults_.stalled_until() < 1s) return; // what is decided in a stall gets out after it
    for (const auto& site : settings_.sites)
        if (faults_.drained(service.name, site) && names(answer.text, site) &&
            story_.disk().failure.empty() && !story_.disk().hangs)
            problem(service.name + ": answers " + site + ", which is drained");
}

void Watch::judge_living(const Drawn& service, const Answer& answer) {
    if (service.follows || service.by_approval || service.grouped || !deciding_for_itself()) return;
    if (story_.now() - faults_.last_drain() < 1s) return;
    if (story_.now() - faults_.last_drill() < surely_known) return; // the site it plays is as good as lost
    if (story_.now() - last_doubt_ < surely_known) return;          // silence counts anew from its end
    bool living = false;
    std::set<std::string> good; // sites that work, or have failed for too short a time to be known
    for (const auto& site : settings_.sites) {
        const auto& truth = truth_.at({service.name, site});
        auto lasted = story_.now() - truth.since;
        if (truth.works || lasted < surely_known) good.insert(site);
        living |= truth.works && lasted > surely_risen && !faults_.drained(service.name, site);
    }
    const auto& model = story_.model();
    const auto& configured =
        *std::ranges::find(model.services, service.name, [](auto& s) { return label(s); });
    if (answer.plan.choices.empty() || !living) return;
    for (const auto& text : texts_by_class(answer.plan, configured, model)) // whoever the client is
        if (std::ranges::none_of(good, [&](const auto& site) { return names(text, site); }))
            problem(service.name + ": answers " + text + ", only failing ones, while another works");
}

void Watch::judge_following(const Drawn& service, const Answer& before, const Answer& after) {
    bool chosen = !service.on_no_primary.empty() || service.on_all_down == "as_if_all_up" ||
                  service.on_all_down == "all";
    bool excluded = any_drained(service);
    bool starting = after.at - faults_.last_restart() <= 15s;
    bool played = after.at - faults_.last_drill() < surely_known; // a site that is played lost claims nothing
    auto to = truth_.find({service.name, after.text});
    auto from = truth_.find({service.name, before.text});
    if (chosen || excluded || starting || to == truth_.end() || from == truth_.end()) return;
    if (after.at - to->second.last_primary > claim_memory)
        problem(service.name + ": moved to " + after.text + " without a claim there");
    if (!played && from->second.primary && after.at - from->second.primary_since > claim_memory &&
        deciding_for_itself())
        problem(service.name + ": moved away from " + before.text + ", which is still the primary");
    auto& highest = highest_epoch_[service.name];
    if (to->second.primary && to->second.epoch < highest)
        problem(service.name + ": followed epoch " + std::to_string(to->second.epoch) + " after " +
                std::to_string(highest));
    if (to->second.primary) highest = std::max(highest, to->second.epoch);
}

void Watch::judge_switches() {
    const auto& runs = story_.runbook().runs();
    for (; runs_judged_ < runs.size(); ++runs_judged_) {
        const auto& run = runs[runs_judged_];
        for (std::size_t i = 0; i < runs_judged_; ++i) {
            const auto& other = runs[i];
            bool together = other.service == run.service && (!other.ended || *other.ended > run.begun);
            if (together && other.id != run.id)
                problem(run.service + ": two switches at a time, " + other.id + " and " + run.id);
        }
        if (run.step != Hook::Step::promote) continue;
        for (const auto& s : story_.model().services) {
            if (s.name.to_string() != run.service || !s.hooks.contains(Hook::Step::fence)) continue;
            bool fenced = std::any_of(
                runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(runs_judged_),
                [&](const Run& r) { return r.id == run.id && r.step == Hook::Step::fence && r.ok; });
            bool approved = faults_.last_command(label(s)).has_value();
            if (s.hooks.at(Hook::Step::fence).required && !fenced && !approved)
                problem(run.service + ": promoted without the required fence");
        }
    }
}

void Watch::before_restart() {
    before_.clear();
    if (story_.now() - faults_.last_drill() < surely_known) return; // its end may fall into the absence
    if (story_.now() - faults_.stalled_until() < 10s) return;       // it did not look, and said so to nobody
    if (!story_.running() || !story_.disk().failure.empty() || story_.disk().hangs) return;
    if (doubts_since_ && faults_.last_reload() >= *doubts_since_)
        return; // other targets, none of them decided
    for (const auto& service : settings_.services) {
        const auto& now = story_.history(service.name).now();
        if (!service.on_no_primary.empty()) continue; // its clock runs out while we are away, too
        const auto report = story_.report(service.name);
        if (doubts_since_ && report.state != "serving") continue; // nobody was decided, and nobody is now
        const auto timed = [](const policies::EndpointReport& e) { return e.braked || e.suppressed; };
        if (report.running || std::ranges::any_of(report.endpoints, timed)) continue; // as do these
        const bool away = !report.preferred.empty() && report.active != report.preferred;
        if (away && !service.manual_failback) continue; // and the delay of a failback
        if (report.policy == "latency" && now.plan.choices.size() > 1)
            continue; // whom the margin held where is not remembered
        if (story_.now() - now.at > 1s) before_[service.name] = now.text; // what was on its way may be lost
    }
}

void Watch::after_start(Moment start, bool short_absence) {
    if (!short_absence) return;
    for (const auto& [service, text] : before_) {
        const auto& all = story_.history(service).all();
        auto is_first = [&](const Answer& a) { return a.at >= start && a.text != "no daemon"; };
        auto first = std::ranges::find_if(all, is_first);
        if (first == all.end()) problem(service + ": no answer after a restart");
        else if (first->text != text)
            problem(service + ": a short restart changed " + text + " to " + first->text);
    }
}

void Watch::converged() {
    for (const auto& drawn : settings_.services) {
        auto answer = story_.answers(drawn.name);
        bool one = answer.find('+') == std::string::npos;
        std::string primary;
        for (const auto& site : settings_.sites)
            if (truth_.at({drawn.name, site}).primary) primary = site;
        if (answer == "SERVFAIL" || answer == "NODATA")
            problem(drawn.name + ": all is well, and it answers " + answer);
        const auto leads = [&](auto& site) { return truth_.at({drawn.name, site}).primary; };
        bool waits =
            !story_.waiting_switch(drawn.name).empty() ||      // a fence under way struck after the mending
            std::ranges::count_if(settings_.sites, leads) > 1; // or a promotion
        const bool led = drawn.grouped && drawn.ordered; // where the leader is, which may wait or follow
        if (led && answer != story_.answers(settings_.together.front()) && !waits)
            problem(drawn.name + ": all is well, and it is not where its group is");
        if (led) continue;
        if (drawn.follows && answer != primary && !waits)
            problem(drawn.name + ": all is well, and it answers " + answer + " while " + primary +
                    " has the primary");
        if (!drawn.follows && !drawn.manual_failback &&
            story_.report(drawn.name).policy == "active_passive" && !drawn.by_approval &&
            (!one || answer != settings_.sites.front()))
            problem(drawn.name + ": all is well, and it answers " + answer);
    }
    if (story_.report().doubt) problem("all is well, and it doubts itself");
}

} // namespace fairway::sim
