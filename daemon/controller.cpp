#include "daemon/controller.hpp"

#include "daemon/publisher.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace fairway::daemon {

using namespace policies;

namespace {
const std::string state_part = "the state store";
}

struct Controller::State : std::enable_shared_from_this<Controller::State> {
    State(Loop& l, probes::Prober& p, StateStore& s, HookRunner& h, Outlets o, ModelPtr model,
          const Restored& restored)
        : loop(l),
          prober(p),
          store(s),
          hooks(h),
          outlets(noting_drills(std::move(o))),
          engine(std::move(model), restored, l.now()),
          publisher(l, outlets, restored.generation),
          last_id(outlets.last_id) {
        for (const auto& r : restored.services) records[r.service] = r;
    }

    Loop& loop;
    probes::Prober& prober;
    StateStore& store;
    HookRunner& hooks;
    const Outlets outlets;
    Engine engine;
    Publisher publisher;
    std::uint64_t last_id;

    Loop::HandlePtr due, beat;
    Instant due_at{}; ///< what `due` waits for; zero: it waits for nothing
    std::map<Publisher::Ticket, std::vector<HookRequest>> hooks_held; ///< run when their step is on disk
    std::map<Publisher::Ticket, Loop::HandlePtr> patience; ///< one per publication that waits for the store
    bool beat_unanswered = false;

    std::map<std::string, ServiceRecord> records; ///< the newest record of each service
    std::vector<std::string> owed;                ///< services whose last write failed: in the next one again
    std::map<std::string, MemberRecord> members;  ///< the newest record of each, by key
    std::set<std::string> members_owed;           ///< by key
    bool overrides_owed = false, aliases_owed = false;
    std::map<std::string, Alarm> store_alarms; ///< by part
    std::map<std::string, Alarm> own_alarms;   ///< by id

    struct Played {
        Loop::HandlePtr timer; ///< its silent look ends, or the next begins
        Cadence cadence;
    };
    std::vector<std::function<void()>> missed; ///< what has come while we hold still, in order
    bool still = false;

    std::map<MemberId, Played> played;      ///< members that a drill plays lost
    std::optional<Instant> drill_published; ///< its first answer

    // ---- drills: what is seen of a site that is played lost is replaced here

    Outlets noting_drills(Outlets o) {
        o.answered = [this, tell = std::move(o.answered)](const Happening& h) {
            if (h.transition.drill && !drill_published) drill_published = loop.now().mono;
            if (tell) tell(h);
        };
        return o;
    }

    void observe(std::span<const Observation> batch) {
        if (still)
            return missed.push_back(
                [this, kept = std::vector<Observation>(batch.begin(), batch.end())] { observe(kept); });
        if (!engine.in_drill()) return carry_out(engine.observe(batch, loop.now())); // nearly always
        std::vector<Observation> real;
        for (const Observation& seen : batch) {
            if (!engine.lost_in_drill(seen)) {
                real.push_back(seen);
                continue;
            }
            carry_out(engine.truth(seen, loop.now()));
            if (auto lost = engine.lost_in_drill(seen)) play(std::move(*lost));
            else real.push_back(seen);
        }
        if (!real.empty()) carry_out(engine.observe(real, loop.now()));
    }

    /// A silent look takes as long as it would.
    void play(Observation lost) {
        Played& p = played[lost.member];
        if (p.timer) return;
        p.timer = loop.at(std::max(lost.ended, loop.now().mono), [this, lost] { fell_silent(lost); });
    }

    void fell_silent(Observation lost) {
        Played& p = played[lost.member];
        const auto spent = std::move(p.timer); // alive until we are done: it is what called us
        lost.ended = loop.now().mono;
        if (!engine.lost_in_drill(lost)) return void(played.erase(lost.member));
        const CheckPtr check = check_of(lost.member);
        if (const auto again = check ? next_look(p.cadence, lost, *check) : std::nullopt)
            p.timer = loop.after(*again, [this, id = lost.member] {
                const auto done = std::move(played[id].timer);
                prober.look(std::array{id});
            });
        carry_out(engine.observe({&lost, 1}, loop.now()));
    }

    CheckPtr check_of(MemberId id) const {
        const auto all = engine.members();
        const auto m = std::ranges::find(all, id, &policies::Member::id);
        return m == all.end() ? nullptr : m->spec.check;
    }

    // ---- transitions

    Happening report(Transition t) {
        if (t.change == Change::drill_started) drill_published.reset(), played.clear();
        Happening h{++last_id, std::move(t), std::nullopt};
        if (outlets.happened) outlets.happened(h);
        return h;
    }

    void store_failed(const std::string& part, const std::string& why) {
        const auto [alarm, fresh] = store_alarms.try_emplace(part);
        if (!fresh) return;
        alarm->second = {.id = "store",
                         .severity = Severity::critical,
                         .text = part + " fails: " + why,
                         .since = loop.now().mono};
        report({.change = Change::store_failed,
                .severity = Severity::critical,
                .subject = part,
                .from = "ok",
                .to = "failed",
                .reason = why + "; answers go on, but what is decided now may be forgotten by a restart",
                .decided = loop.now().mono});
    }

    void store_recovered(const std::string& part) {
        if (!store_alarms.erase(part)) return;
        report({.change = Change::store_recovered,
                .subject = part,
                .from = "failed",
                .to = "ok",
                .reason = part + " writes again",
                .decided = loop.now().mono});
    }

    // ---- the store

    /// Adds what earlier writes failed to store, as it is now.
    void add_owed(StateWrite& write) {
        for (const auto& name : std::exchange(owed, {})) write.services.push_back(records.at(name));
        if (std::exchange(overrides_owed, false)) take_overrides(write);
        if (std::exchange(aliases_owed, false)) write.aliases = engine.aliases();
        for (const auto& r : write.members) members_owed.erase(r.key);
        for (const auto& key : std::exchange(members_owed, {})) write.members.push_back(members.at(key));
    }

    void take_overrides(StateWrite& write) {
        const auto now = engine.overrides();
        write.overrides.emplace(now.begin(), now.end());
    }

    /// Writes, and calls `after` once that is answered: with the error, or "".
    void send(StateWrite write, std::function<void(State&, const std::string&)> after) {
        add_owed(write);
        write.generation = publisher.generation() + generation_reserve;
        std::vector<std::string> names;
        for (const auto& r : write.services) names.push_back(r.service);
        const bool overrides = write.overrides.has_value(), aliases = write.aliases.has_value();
        std::vector<std::string> keys;
        for (const auto& r : write.members) keys.push_back(r.key);
        auto done = [weak = weak_from_this(), names, keys, overrides, aliases,
                     after = std::move(after)](const std::string& error) {
            auto self = weak.lock();
            if (!self) return;
            if (!error.empty()) {
                self->members_owed.insert(keys.begin(), keys.end());
                self->aliases_owed |= aliases;
            }
            self->written(names, overrides, error);
            after(*self, error);
        };
        store.write(std::move(write), std::move(done));
    }

    void written(const std::vector<std::string>& names, bool overrides, const std::string& error) {
        if (error.empty()) return store_recovered(state_part);
        owed.insert(owed.end(), names.begin(), names.end());
        overrides_owed |= overrides;
        store_failed(state_part, error);
    }

    void beat_once() {
        beat = loop.after(heartbeat, [this] { beat_once(); });
        if (still) return;
        if (std::exchange(beat_unanswered, true))
            return store_failed(state_part, "no answer for " + to_string(heartbeat));
        StateWrite write;
        write.alive = loop.now().wall;
        send(std::move(write), [](State& self, auto&) { self.beat_unanswered = false; });
    }

    // ---- publication

    /// The write behind `ticket` is answered, or is waited for no longer.
    void let_go(Publisher::Ticket ticket) {
        patience.erase(patience.begin(), patience.upper_bound(ticket));
        publisher.release(ticket, engine);
        std::vector<HookRequest> ready;
        for (; !hooks_held.empty() && hooks_held.begin()->first <= ticket;
             hooks_held.erase(hooks_held.begin()))
            ready.insert(ready.end(), hooks_held.begin()->second.begin(), hooks_held.begin()->second.end());
        for (const auto& h : ready) run_hook(h);
    }

    void lose_patience(Publisher::Ticket ticket) {
        store_failed(state_part, "no answer within " + to_string(store_patience));
        let_go(ticket);
    }

    // ---- effects

    static bool writes(const Effects& e) {
        return !e.services.empty() || !e.members.empty() || e.overrides || e.aliases;
    }
    /// Health is a hint, and so is what an alias has: nothing waits for them.
    static bool durable(const Effects& e) { return !e.services.empty() || e.overrides; }

    /// Stores, then lets go of what rests on that; all other plans wait for nothing.
    void carry_out(Effects e, const StateStore::Done& stored = {}) {
        if (!writes(e) && stored) stored("");
        if (e.empty()) return arm(); // nearly every look
        std::set<std::string> latched;
        for (ServiceIndex s : e.latched) latched.insert(engine.model().services[s].title());
        std::vector<Happening> now, later;
        for (auto& t : e.transitions) (latched.contains(t.service) ? later : now).push_back(report(t));
        std::erase_if(e.plans, [&](ServiceIndex s) { return std::ranges::count(e.latched, s) > 0; });
        publisher.publish(std::move(e.plans), e.urgent, std::move(now), engine);

        if (!e.latched.empty() || !e.hooks.empty()) hold(e, std::move(later), stored);
        else if (writes(e)) write(e, 0, stored);
        if (e.members_changed) assign();
        if (!e.look.empty()) prober.look(e.look);
        arm();
    }

    /// What rests on the records of `e` waits for them, unless the store is known to fail.
    void hold(Effects& e, std::vector<Happening> causes, const StateStore::Done& stored) {
        const Publisher::Ticket ticket = publisher.queue(std::move(e.latched), std::move(causes));
        hooks_held[ticket] = std::move(e.hooks);
        const bool wait = durable(e) && !store_alarms.contains(state_part);
        if (wait) patience[ticket] = loop.after(store_patience, [this, ticket] { lose_patience(ticket); });
        if (writes(e)) write(e, ticket, stored);
        if (!wait) let_go(ticket);
    }

    void write(Effects& e, Publisher::Ticket ticket, const StateStore::Done& stored) {
        StateWrite w;
        for (const auto& r : e.services) records[r.service] = r;
        w.services = std::move(e.services);
        for (const auto& r : e.members) members[r.key] = r;
        w.members = std::move(e.members);
        if (e.overrides) take_overrides(w);
        if (e.aliases) w.aliases = engine.aliases();
        send(std::move(w), [ticket, stored](State& self, const std::string& error) {
            self.let_go(ticket);
            if (stored) stored(error);
        });
    }

    void run_hook(const HookRequest& request) {
        auto done = [weak = weak_from_this()](HookResult result) {
            if (auto self = weak.lock()) self->carry_out(self->engine.hook_ended(result, self->loop.now()));
        };
        const auto index = engine.model().find_titled(request.service);
        const Service* service = index ? &engine.model().services[*index] : nullptr;
        if (!service || !service->hooks.contains(request.step)) // a reload came between
            return loop.post([done, request] {
                done({request.service, request.switch_id, request.step, false, "no longer configured"});
            });
        hooks.run(service->hooks.at(request.step), *service, request, done);
    }

    void arm() {
        const Instant when = engine.next_due();
        if (when == due_at) return;
        due_at = when;
        due.reset();
        if (when == Instant::max()) return;
        due = loop.at(when, [this] {
            due_at = Instant{};
            if (still) return; // go_on() looks
            carry_out(engine.tick(loop.now()));
        });
    }

    // ---- another process takes over

    std::string not_stored() const {
        if (!store_alarms.empty()) return store_alarms.begin()->second.text;
        const bool owes = !owed.empty() || !members_owed.empty() || overrides_owed || aliases_owed;
        return owes ? "what was decided is not on disk" : "";
    }

    std::string hold_still() {
        const auto overrides = engine.overrides();
        if (std::ranges::any_of(overrides, [](const Override& o) { return o.kind == Override::Kind::drill; }))
            return "a drill is under way: end it first (fairwayctl drill abort)";
        if (auto why = not_stored(); !why.empty()) return why;
        still = true;
        return "";
    }

    void go_on() {
        still = false;
        due_at = Instant{};
        for (auto& f : std::exchange(missed, {})) f();
        arm();
    }

    void assign() {
        std::vector<probes::Assignment> all;
        for (const auto& m : engine.members()) all.push_back({m.id, m.spec});
        prober.assign(std::move(all));
    }
};

Controller::Controller(Loop& loop, probes::Prober& prober, StateStore& store, HookRunner& hooks,
                       Outlets outlets, ModelPtr model, const Restored& restored)
    : state_(std::make_shared<State>(loop, prober, store, hooks, std::move(outlets), std::move(model),
                                     restored)) {}

Controller::~Controller() = default;

void Controller::start() {
    state_->assign();
    state_->prober.resolve(state_->engine.names());
    state_->carry_out(state_->engine.start(state_->loop.now()));
    state_->beat_once();
}

void Controller::observe(std::span<const Observation> batch) { state_->observe(batch); }

void Controller::resolved(const NameObservation& seen) {
    if (state_->still) return state_->missed.push_back([this, seen] { resolved(seen); });
    state_->carry_out(state_->engine.resolved({&seen, 1}, state_->loop.now()));
}

CommandResult Controller::command(const Command& command, StateStore::Done stored) {
    if (state_->still) {
        if (stored) stored("");
        return {false, "an upgrade is just taking over; try again in a moment", {}};
    }
    auto done = state_->engine.command(command, state_->loop.now());
    state_->carry_out(std::move(done.effects), stored);
    return std::move(done.result);
}

void Controller::reload(ModelPtr model) {
    auto effects = state_->engine.reload(std::move(model), state_->loop.now());
    // Services are numbered anew: every plan is handed over, and what still waits becomes all of them.
    effects.plans.resize(state_->engine.model().services.size());
    std::iota(effects.plans.begin(), effects.plans.end(), ServiceIndex{0});
    state_->publisher.renumber(effects.plans);
    state_->assign();
    state_->prober.resolve(state_->engine.names());
    state_->carry_out(std::move(effects));
}

void Controller::announce(Transition transition) { state_->report(std::move(transition)); }

void Controller::storage(const std::string& part, const std::string& error) {
    error.empty() ? state_->store_recovered(part) : state_->store_failed(part, error);
}

bool Controller::alarm(const std::string& id, Severity severity, const std::string& text) {
    if (text.empty()) return state_->own_alarms.erase(id) > 0;
    const Instant since = state_->loop.now().mono;
    return state_->own_alarms
        .try_emplace(id, Alarm{.id = id, .severity = severity, .text = text, .since = since})
        .second;
}

std::string Controller::hold_still() { return state_->hold_still(); }
std::string Controller::not_stored() const { return state_->not_stored(); }
void Controller::go_on() { state_->go_on(); }

Report Controller::report() const {
    Report r = state_->engine.report(state_->loop.now());
    r.generation = generation();
    for (ServiceIndex s = 0; s < r.services.size(); ++s)
        r.services[s].awaited = state_->publisher.awaits_first(s);
    if (r.drill && state_->drill_published) r.drill->published = *state_->drill_published - r.drill->begun;
    for (const auto& [part, alarm] : state_->store_alarms) r.alarms.push_back(alarm);
    for (const auto& [id, alarm] : state_->own_alarms) r.alarms.push_back(alarm);
    return r;
}

Explanation Controller::explain(ServiceIndex s, std::optional<IpAddress> client) const {
    return state_->engine.explain(s, client, state_->loop.now());
}

const Engine& Controller::engine() const { return state_->engine; }
std::uint64_t Controller::generation() const { return state_->publisher.generation(); }

} // namespace fairway::daemon
