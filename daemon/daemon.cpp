#include "daemon/daemon.hpp"

#include "daemon/alerts.hpp"
#include "daemon/carried_counters.hpp"
#include "daemon/control_api.hpp"
#include "daemon/descriptors.hpp"
#include "daemon/desk.hpp"
#include "daemon/dns_front.hpp"
#include "daemon/doors.hpp"
#include "daemon/events.hpp"
#include "daemon/history.hpp"
#include "daemon/hook_journal.hpp"
#include "daemon/hook_link.hpp"
#include "daemon/latency_office.hpp"
#include "daemon/learner.hpp"
#include "daemon/log.hpp"
#include "daemon/memory.hpp"
#include "daemon/metrics.hpp"
#include "daemon/notify.hpp"
#include "daemon/pages.hpp"
#include "daemon/push_office.hpp"
#include "daemon/serialize.hpp"
#include "daemon/sockets.hpp"
#include "daemon/upgrade.hpp"
#include "daemon/zone_office.hpp"
#include "probes/uv_loop.hpp"
#include "probes/worker.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace fairway::daemon {

using namespace policies;

namespace {

/// A whole reload of the largest configuration, with every check of it.
constexpr auto reload_patience = 60s;
/// Starting, preparing and serving of another process may take 79 s; then it is over.
constexpr auto upgrade_patience = 90s;
/// For the last writes before another process takes over; a disk that is slower is no disk to upgrade on.
constexpr auto store_empties = 5s;
/// How long connections go on in a process whose place was taken: as long as an idle one of DNS would.
constexpr auto last_connections = 10s;
/// Replaced snapshots are freed on the control thread's time, not on a DNS worker's, which lets go of one
/// within a second.
constexpr auto reap_every = 2s;

Engine first_answers(const Loaded& loaded, const Restored& restored) {
    Engine engine(loaded.model, restored,
                  clock_now()); // pure: asked a second time by the controller, it says the same
    engine.start(clock_now());
    return engine;
}

/// What answers were made of when the last process ended.
Learned learned(const Loaded& loaded, const Restored& restored) {
    return LatencyBook(loaded.model->learned, restored.learned).used();
}

}

Now clock_now() {
    using namespace std::chrono;
    return {Instant(steady_clock::now().time_since_epoch()),
            time_point_cast<milliseconds>(system_clock::now())};
}

/// Members in the order in which they are made; the end is the other way round, so that whoever calls goes
/// first.
struct Daemon::State {
    State(Loaded configured, Helper helper, OpenedState opened, Inherited inherited, Program program)
        : State(configured, with_learned(configured, learned(configured, opened.restored)), std::move(helper),
                std::move(opened), std::move(inherited), std::move(program)) {}

    /// `loaded` is as configured, with what was learned.
    State(const Loaded& configured, const Loaded& loaded, Helper helper, OpenedState&& opened,
          Inherited inherited, Program program)
        : given(std::move(inherited)),
          restored(std::move(opened.restored)),
          set_aside(std::move(opened.set_aside)),
          model(loaded.model),
          last_id(opened.journal->last_id()),
          front(
              loaded, first_answers(loaded, restored), restored.generation,
              [this](const dns::Server::Notice& n) { address(n); }, given.sockets),
          doors(*model, given),
          history(opened.journal_file, [] { return clock_now().wall; }),
          storage(
              std::move(opened), [this](auto f) { loop.post(std::move(f)); }, [] { return clock_now().wall; },
              [this](const std::string& error) { controller->storage("the journal", error); }),
          hooks(loop, std::move(helper)),
          worker(
              loop, [this](std::span<const Observation> batch) { observe(batch); },
              [this](const NameObservation& seen) { controller->resolved(seen); },
              probes::ProbeWorker::Options{.threads = model->probes.threads}),
          prober(loop, worker, [this](std::span<const Observation> batch) { controller->observe(batch); }),
          told_hooks(loop, hooks, [this](JournalEntry e) { journal(std::move(e)); }),
          controller(
              std::make_unique<Controller>(loop, prober, storage, told_hooks, outlets(), model, restored)),
          upgrade(std::move(program), upgrade_office()),
          loader(configured, learned(configured, restored),
                 {[this](Loaded l) { return adopt(std::move(l)); },
                  [this](Loaded l) { return adopt_learned(std::move(l)); },
                  [this](const Asker& a, const CommandResult& r) { reloaded(a, r); }}),
          learner(loop, storage, model->learned, restored.learned,
                  {[this] { return keeps_answers(); }, [this](Learned l) { loader.learn(std::move(l)); }}),
          api(desk, reports, office()) {
        start();
    }

    ~State() {
        if (!upgrade.handed_over()) notify_stopping();
        upgrade.cancel();
        desk.close();
        events.close();
        doors.close();
        log.write(Severity::info, "stopped", {});
    }

    Inherited given;
    const Restored restored;
    const std::vector<std::string> set_aside;
    const ModelPtr model; ///< the first: its settings stay
    const std::uint64_t last_id;
    Log log{model->log.format};
    Metrics metrics;
    probes::UvLoop loop;
    Desk desk{loop};
    DnsFront front;
    Doors doors;
    History history;
    Events events;
    Storage storage;
    HookLink hooks;
    probes::ProbeWorker worker;
    probes::PushDesk prober;
    HookJournal told_hooks;
    std::unique_ptr<Controller> controller;
    NewestReport reports{desk, [this] { return controller->report(); }, clock_now};
    Alerts alerts{reports, log};
    CarriedCounters carried;
    Upgrade upgrade;
    Loader loader;
    Learner learner;
    LatencyOffice measured{desk, [this]() -> const Model& { return controller->engine().model(); }, learner};
    ZoneOffice shown{desk, [this] { return front.snapshot(); }};
    Pages pages{desk, reports, metrics, history, page_office()};
    PushOffice pushed{desk, [this](const std::string& name) { return check(name); }, prober};
    ControlApi api;
    std::vector<Loop::HandlePtr> signals;
    Loop::HandlePtr watchdog, reaper, predecessor, leaving;
    bool settled = false; ///< nobody else is the main process any more

    // ---- what the controller tells the world

    Outlets outlets() {
        return {.publish = [this](auto changed, const Engine& e,
                                  std::uint64_t n) { front.publish(changed, e, n); },
                .happened = [this](const Happening& h) { happened(h); },
                .answered = [this](const Happening& h) { answered(h); },
                .last_id = last_id};
    }

    void happened(const Happening& h) {
        const auto& t = h.transition;
        log.write(h);
        metrics.happened(h);
        reports.changed();
        const auto text = std::make_shared<const std::string>(to_json(h, loop.now()));
        alerts.happened(h.id, text);
        events.publish("transition", *text);
        storage.append({.transition = h.id,
                        .at = loop.now().wall_at(t.decided),
                        .what = std::string(to_string(t.change)),
                        .service = t.service,
                        .datacenter = t.datacenter,
                        .record = *text});
    }

    void answered(Happening h) {
        h.published = clock_now().mono; // the loop's time stands still while the answers are compiled
        metrics.answered(h);
        reports.changed();
        storage.answered({h.id, loop.now().wall_at(*h.published)});
    }

    void address(const dns::Server::Notice& n) {
        using Kind = dns::Server::Notice::Kind;
        if (n.kind == Kind::problem) log.write(Severity::warning, "address-not-served", {{"why", n.text}});
        else
            log.write(Severity::info, n.kind == Kind::added ? "address-added" : "address-removed",
                      {{"address", n.text}});
    }

    void announce(Change change, Severity severity, std::string reason,
                  std::vector<std::string> evidence = {}) {
        controller->announce({.change = change,
                              .severity = severity,
                              .reason = std::move(reason),
                              .evidence = std::move(evidence),
                              .decided = loop.now().mono});
    }

    // ---- configuration

    void observe(std::span<const Observation> batch) {
        metrics.seen(batch, controller->engine());
        controller->observe(batch);
    }

    bool adopt(Loaded loaded) {
        const auto done = desk.ask(
            [this, loaded] {
                front.adopt(loaded);
                controller->reload(loaded.model);
                learner.configure(loaded.model->learned);
                reload_remote(loaded.model->control);
                alerts.configure(loaded.model->alerts, loaded.model->node.name);
                announce(Change::configuration_loaded, Severity::info, loaded.model->file);
                return true;
            },
            ControlApi::patience);
        return done.has_value();
    }

    bool adopt_learned(Loaded loaded) {
        const auto done = desk.ask(
            [this, loaded] {
                log.write(Severity::info, "latency-learned",
                          {{"networks", std::to_string(learner.networks())}});
                front.adopt(loaded);
                controller->reload(loaded.model);
                return true;
            },
            ControlApi::patience);
        return done.has_value();
    }

    /// A freeze holds answers, and a drill would be ended by a reload of any kind.
    bool keeps_answers() const {
        return std::ranges::any_of(controller->engine().overrides(), [](const Override& o) {
            return o.kind == Override::Kind::freeze || o.kind == Override::Kind::drill;
        });
    }

    /// Serving goes on with the old certificate and tokens where the new ones cannot be used.
    void reload_remote(const ControlSettings& settings) {
        try {
            doors.reload(settings);
        } catch (const std::exception& e) {
            announce(Change::configuration_refused, Severity::warning,
                     std::string("remote control keeps its certificate and tokens: ") + e.what());
        }
    }

    void reloaded(const Asker& asker, const CommandResult& r) {
        JournalEntry e{.kind = JournalEntry::Kind::reload, .what = "reload"};
        tell(asker, std::move(e), r);
        if (!r.accepted)
            loop.post([this, r] {
                announce(Change::configuration_refused, Severity::warning, r.message, r.details);
            });
    }

    CommandResult reload(const Asker& asker, bool forced) {
        auto result = loader.reload(asker, forced);
        if (result.wait_for(reload_patience) == std::future_status::ready) return result.get();
        return {false, "the configuration is still being read after a minute; status will show it", {}};
    }

    Pages::Office page_office() {
        return {.vitals =
                    [this] {
                        return Vitals{front.counts(), alerts.counts(), worker.lag(), events.streams()};
                    },
                .view = [this](const Title& t, std::optional<IpAddress> c) { return view(t, c); },
                .node = model->node.name,
                .carried = [this](std::string page) { return carried.over(std::move(page)); }};
    }

    std::optional<ServiceView> view(const Title& title, std::optional<IpAddress> client) const {
        const Model& now = controller->engine().model();
        const auto s = now.find_service(title);
        if (!s) return std::nullopt;
        ServiceView v{page::members_of(now, now.services[*s], controller->engine().members()), std::nullopt};
        if (client) v.explanation = controller->explain(*s, client);
        return v;
    }

    // ---- operators

    ControlOffice office() {
        return {
            .command = [this](const Command& c, const Asker& a) { return command(c, a); },
            .explain = [this](const Name& n, std::uint16_t t,
                              std::optional<IpAddress> c) { return explain(n, t, c); },
            .clock = [this] { return loop.now(); },
            .engine = [this] { return controller->engine().copy(); },
            .reload = [this](const Asker& a, bool forced) { return reload(a, forced); },
            .look_at = [this](const std::filesystem::path& file) { return loader.look_at(file); },
            .upgrade = [this](const Asker& a) { return hand_over(a); },
            .history = [this](const HttpRequest& r) { return history.answer(r); },
            .events = [this](const HttpRequest& r) { return events.stream(r); },
            .push = [this](std::string_view check, const HttpRequest& r) { return pushed.answer(check, r); },
            .latency = [this](const HttpRequest& r) { return measured.answer(r); },
            .zone = [this](const HttpRequest& r) { return shown.answer(r); },
            .about = {FAIRWAY_VERSION, model->file, clock_now().wall, getpid()}};
    }

    std::variant<Commanded, BadRequest> command(const Command& c, const Asker& asker) {
        if (auto why = unknown_name(c, controller->engine().model()); !why.empty())
            return BadRequest{std::move(why)};
        const auto stored = std::make_shared<std::promise<std::string>>();
        auto r = controller->command(c, [stored](const std::string& error) { stored->set_value(error); });
        reports.changed();
        tell(asker, command_entry(c), r);
        return Commanded{std::move(r), stored->get_future().share()};
    }

    /// What somebody asked for, and what came of it. Any thread.
    void tell(const Asker& asker, JournalEntry e, const CommandResult& r) {
        log.write(Severity::info, "command",
                  {{"operator", asker.who},
                   {"from", asker.from},
                   {"command", e.record.empty() ? e.what : e.record},
                   {"accepted", r.accepted ? "yes" : "no"},
                   {"message", r.message}});
        e.at = clock_now().wall;
        e.who = asker.who;
        e.from = asker.from;
        e.result = to_json(r);
        keep(std::move(e));
    }

    /// Control thread.
    void journal(JournalEntry e) {
        log.write(Severity::info, "hook",
                  {{"service", e.service}, {"step", e.what}, {"hook", e.record}, {"result", e.result}});
        keep(std::move(e));
    }

    void keep(JournalEntry e) {
        events.publish(word(e.kind), to_json(JournalLine{0, e, {}}));
        storage.append(std::move(e));
    }

    Explained explain(const Name& name, std::uint16_t type, std::optional<IpAddress> client) {
        Explained e;
        e.wire = dns_text(front.ask(name, type, client)).value_or(DnsText{"no answer", false, {}, {}, {}});
        const auto service = controller->engine().model().find_answering(name, type);
        e.decision = service ? controller->explain(*service, client) : explain_static(name, e.wire);
        return e;
    }

    CheckPtr check(const std::string& name) const {
        for (const CheckPtr& c : controller->engine().model().checks)
            if (c->name == name) return c;
        return nullptr;
    }

    // ---- the process that takes our place

    CommandResult hand_over(const Asker& asker) {
        auto result = loader.between([this, asker] { return hand_over_now(asker); });
        if (result.wait_for(upgrade_patience) == std::future_status::ready) return result.get();
        return {false, "a reload is under way, or another upgrade; the log will tell", {}};
    }

    /// Loader thread. What succeeds the other process notes in the journal, which is its own by then.
    CommandResult hand_over_now(const Asker& asker) {
        log.write(Severity::info, "upgrade", {{"operator", asker.who}, {"from", asker.from}});
        CommandResult r = upgrade.run(asker);
        if (r.accepted) {
            log.write(Severity::info, "handed-over", {{"to", r.message}});
            loop.post([this] { leave_when_quiet(loop.now().mono); });
        } else {
            log.write(Severity::warning, "upgrade-failed", {{"why", r.message}});
            tell(asker, {.kind = JournalEntry::Kind::command, .what = "upgrade"}, r);
        }
        return r;
    }

    UpgradeOffice upgrade_office() {
        return {.sockets = [this] { return all_sockets(); },
                .lock = [this] { return storage.lock(); },
                .hold_still = [this] { return hold_still(); },
                .go_on = [this] { decide_again(); },
                .leave = [this] { leave(); },
                .counters =
                    [this] {
                        return carried.close([this] {
                            return metrics.text({}, {front.counts(), alerts.counts(), {}}, {});
                        });
                    },
                .state_directory = model->state.directory,
                .control_path = model->control.socket,
                .control_stays = given.control_stays};
    }

    std::vector<dns::Socket> all_sockets() {
        const auto ask = [this] {
            auto all = front.sockets();
            std::ranges::move(doors.sockets(), std::back_inserter(all));
            return all;
        };
        return desk.ask(ask, ControlApi::patience).value_or(std::vector<dns::Socket>());
    }

    std::string hold_still() {
        const auto ask = [this](auto f) {
            return desk.ask(std::move(f), ControlApi::patience)
                .value_or("the control thread does not answer");
        };
        std::string why = ask([this]() -> std::string {
            return hooks.busy() ? "a hook is running: it would be ended half way" : controller->hold_still();
        });
        if (why.empty() && !storage.pause(store_empties)) why = "the store is slow: it is still writing";
        else if (why.empty()) why = ask([this] { return controller->not_stored(); });
        if (!why.empty()) decide_again();
        return why;
    }

    void decide_again() {
        storage.resume();
        loop.post([this] { controller->go_on(); });
    }

    void leave() {
        const auto done = desk.ask(
            [this] {
                watchdog.reset(); // its sign of life is the other's now
                events.close();
                doors.leave();
                front.leave();
                return true;
            },
            reload_patience);
        if (!done) loop.post([this] { loop.stop(); }); // it does not come to it: the end does the same
    }

    void leave_when_quiet(Instant since) {
        const auto tcp = front.counts().tcp;
        const bool quiet = tcp.connections == tcp.ended && doors.connections() == 0;
        if (!quiet && loop.now().mono - since < last_connections) {
            leaving = loop.after(50ms, [this, since] { leave_when_quiet(since); });
            return;
        }
        upgrade.last_words();
        loop.stop();
    }

    // ---- the process whose place we take

    void succeed() {
        given.from->serving();
        predecessor = loop.watch(given.from->descriptor(), Loop::readable, [this](unsigned) { hear_it(); });
    }

    void hear_it() {
        std::string counters;
        const bool there = given.from->read_counters(counters);
        if (!counters.empty()) carried.carry(counters);
        else if (!there) carried.no_more();
        if (!settled) {
            settle();
            tell(given.from->asker(), {.kind = JournalEntry::Kind::command, .what = "upgrade"},
                 {true, "took over from fairwayd " + given.from->version(), {}});
        }
        if (there) return;
        predecessor.reset();
        given.from->part();
    }

    // ---- start and stop

    void start() {
        for (const auto& what : set_aside)
            announce(Change::state_set_aside, Severity::critical,
                     what +
                         "; what it knew (latches, overrides, switches) is forgotten: look before you act");
        alerts.configure(model->alerts, model->node.name);
        announce(Change::configuration_loaded, Severity::info, model->file);
        controller->start();
        if (given.from) carried.expect();
        doors.open(
            [this](const HttpRequest& r) {
                return r.path.starts_with("/v1/") ? api.read(r) : pages.answer(r);
            },
            [this](const HttpRequest& r) { return api.answer(r, peer_user(r.connection)); },
            [this](const HttpRequest& r, const std::string& who) { return api.answer(r, who); }, given);
        tell_unused();
        watch_signals();
        reap();
        given.from ? succeed() : settle();
    }

    void tell_unused() {
        for (const auto& s : given.sockets.take_rest()) given.unknown.push_back(what_socket(s.fd()));
        for (const auto& socket : given.unknown)
            log.write(Severity::warning, "socket-not-used", {{"socket", socket}});
    }

    /// We are the main process: what we say of ourselves is heard from now on.
    void settle() {
        settled = true;
        if (const auto period = watchdog_period()) stay_alive(*period);
        notify_ready();
        log.write(Severity::info, "ready",
                  {{"version", FAIRWAY_VERSION},
                   {"dns", joined(front.addresses())},
                   {"http", doors.readers()},
                   {"control", model->control.socket},
                   {"remote_control", doors.remote()},
                   {"services", std::to_string(model->services.size())}});
        give_back_memory();
    }

    void watch_signals() {
        for (int number : {SIGTERM, SIGINT})
            signals.push_back(loop.on_signal(number, [this] { loop.stop(); }));
        signals.push_back(loop.on_signal(SIGHUP, [this] { loader.reload({{}, "SIGHUP"}); }));
        signals.push_back(loop.on_signal(SIGUSR2, [this] {
            loader.between([this] { return hand_over_now({{}, "SIGUSR2"}); });
        }));
    }

    void stay_alive(Duration period) {
        notify_alive();
        watchdog = loop.after(period, [this, period] { stay_alive(period); });
    }

    void look_at_descriptors() {
        const std::string why = descriptors_short();
        if (!controller->alarm("descriptors", Severity::critical, why)) return;
        reports.changed();
        if (why.empty()) log.write(Severity::info, "descriptors-enough", {});
        else log.write(Severity::critical, "descriptors-short", {{"why", why}});
    }

    void reap() {
        front.reap();
        if (const auto limited = front.newly_limited(loop.now().mono))
            log.write(Severity::warning, "rate-limited", {{"responses", std::to_string(limited)}});
        look_at_descriptors();
        reaper = loop.after(reap_every, [this] { reap(); });
    }
};

Daemon::Daemon(Loaded loaded, Helper helper, OpenedState state, Inherited given, Program program)
    : state_(std::make_unique<State>(std::move(loaded), std::move(helper), std::move(state), std::move(given),
                                     std::move(program))) {}
Daemon::~Daemon() = default;

void Daemon::run() { state_->loop.run(); }

} // namespace fairway::daemon
