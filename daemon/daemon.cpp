#include "daemon/daemon.hpp"

#include "daemon/alerts.hpp"
#include "daemon/control_api.hpp"
#include "daemon/desk.hpp"
#include "daemon/dns_front.hpp"
#include "daemon/events.hpp"
#include "daemon/history.hpp"
#include "daemon/hook_journal.hpp"
#include "daemon/hook_link.hpp"
#include "daemon/http_server.hpp"
#include "daemon/latency_office.hpp"
#include "daemon/learner.hpp"
#include "daemon/log.hpp"
#include "daemon/memory.hpp"
#include "daemon/metrics.hpp"
#include "daemon/notify.hpp"
#include "daemon/pages.hpp"
#include "daemon/push_office.hpp"
#include "daemon/remote_control.hpp"
#include "daemon/serialize.hpp"
#include "daemon/sockets.hpp"
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

std::vector<std::pair<SocketAddress, Fd>> listen_all(const HttpSettings& settings) {
    std::vector<std::pair<SocketAddress, Fd>> all;
    for (const auto& address : settings.listen) {
        try {
            Fd fd = listen_tcp(address);
            all.emplace_back(bound_address(fd), std::move(fd));
        } catch (const std::runtime_error& e) {
            throw std::runtime_error("http.listen " + std::string(e.what()));
        }
    }
    return all;
}

template<class T> std::string joined(const std::vector<T>& addresses) {
    std::string text;
    for (const auto& a : addresses) text += (text.empty() ? "" : " ") + a.to_string();
    return text;
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
    State(Loaded configured, Helper helper, OpenedState opened)
        : State(configured, with_learned(configured, learned(configured, opened.restored)), std::move(helper),
                std::move(opened)) {}

    /// `loaded` is as configured, with what was learned.
    State(const Loaded& configured, const Loaded& loaded, Helper helper, OpenedState&& opened)
        : restored(std::move(opened.restored)),
          set_aside(std::move(opened.set_aside)),
          model(loaded.model),
          last_id(opened.journal->last_id()),
          front(loaded, first_answers(loaded, restored), restored.generation,
                [this](const dns::Server::Notice& n) { address(n); }),
          web_sockets(listen_all(model->http)),
          control_socket(listen_unix(model->control.socket)),
          history(opened.journal_file, [] { return clock_now().wall; }),
          storage(
              std::move(opened), [this](auto f) { loop.post(std::move(f)); }, [] { return clock_now().wall; },
              [this](const std::string& error) { controller->storage("the journal", error); }),
          hooks(loop, std::move(helper)),
          worker(
              loop, [this](std::span<const Observation> batch) { controller->observe(batch); },
              [this](const NameObservation& seen) { controller->resolved(seen); },
              probes::ProbeWorker::Options{.threads = model->probes.threads}),
          prober(loop, worker, [this](std::span<const Observation> batch) { controller->observe(batch); }),
          told_hooks(loop, hooks, [this](JournalEntry e) { journal(std::move(e)); }),
          controller(
              std::make_unique<Controller>(loop, prober, storage, told_hooks, outlets(), model, restored)),
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
        notify_stopping();
        desk.close();
        events.close();
        control_server.reset();
        remote.reset();
        web_servers.clear();
        unlink(model->control.socket.c_str());
        log.write(Severity::info, "stopped", {});
    }

    const Restored restored;
    const std::vector<std::string> set_aside;
    const ModelPtr model; ///< the first: its settings stay
    const std::uint64_t last_id;
    Log log{model->log.format};
    Metrics metrics;
    probes::UvLoop loop;
    Desk desk{loop};
    DnsFront front;
    std::vector<std::pair<SocketAddress, Fd>> web_sockets;
    Fd control_socket;
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
    Loader loader;
    Learner learner;
    LatencyOffice measured{desk, [this]() -> const Model& { return controller->engine().model(); }, learner};
    Pages pages{desk, reports, metrics, history, page_office()};
    PushOffice pushed{desk, [this](const std::string& name) { return check(name); }, prober};
    ControlApi api;
    std::vector<std::unique_ptr<HttpServer>> web_servers;
    std::unique_ptr<HttpServer> control_server;
    std::unique_ptr<RemoteControl> remote;
    std::vector<Loop::HandlePtr> signals;
    Loop::HandlePtr watchdog, reaper;

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
            remote->reload(settings);
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

    CommandResult reload(const Asker& asker) {
        auto result = loader.reload(asker);
        if (result.wait_for(reload_patience) == std::future_status::ready) return result.get();
        return {false, "the configuration is still being read after a minute; status will show it", {}};
    }

    Pages::Office page_office() {
        return {.vitals =
                    [this] {
                        return Vitals{front.counts(), alerts.counts(), worker.lag()};
                    },
                .view = [this](const Name& n, std::optional<IpAddress> c) { return view(n, c); },
                .node = model->node.name};
    }

    std::optional<ServiceView> view(const Name& name, std::optional<IpAddress> client) const {
        const Model& now = controller->engine().model();
        const auto s = now.find_service(name);
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
            .reload = [this](const Asker& a) { return reload(a); },
            .history = [this](const HttpRequest& r) { return history.answer(r); },
            .events = [this](const HttpRequest& r) { return events.stream(r); },
            .push = [this](std::string_view check, const HttpRequest& r) { return pushed.answer(check, r); },
            .latency = [this](const HttpRequest& r) { return measured.answer(r); },
            .about = {FAIRWAY_VERSION, model->file, clock_now().wall, getpid()}};
    }

    std::variant<CommandResult, BadRequest> command(const Command& c, const Asker& asker) {
        if (auto why = unknown_name(c, controller->engine().model()); !why.empty())
            return BadRequest{std::move(why)};
        CommandResult r = controller->command(c);
        reports.changed();
        tell(asker, command_entry(c), r);
        return r;
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
        const auto service = controller->engine().model().find_service(name);
        e.decision = service ? controller->explain(*service, client) : explain_static(name, e.wire);
        return e;
    }

    CheckPtr check(const std::string& name) const {
        for (const CheckPtr& c : controller->engine().model().checks)
            if (c->name == name) return c;
        return nullptr;
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
        const std::string web = serve_web();
        control_server =
            std::make_unique<HttpServer>(std::move(control_socket), [this](const HttpRequest& r) {
                return api.answer(r, peer_user(r.connection));
            });
        remote = std::make_unique<RemoteControl>(
            model->control,
            [this](const HttpRequest& r, const std::string& who) { return api.answer(r, who); });
        watch_signals();
        if (const auto period = watchdog_period()) stay_alive(*period);
        reap();
        notify_ready();
        log.write(Severity::info, "ready",
                  {{"version", FAIRWAY_VERSION},
                   {"dns", joined(front.addresses())},
                   {"http", web},
                   {"control", model->control.socket},
                   {"remote_control", joined(remote->addresses())},
                   {"services", std::to_string(model->services.size())}});
        give_back_memory();
    }

    std::string serve_web() {
        std::vector<SocketAddress> addresses;
        for (auto& [address, fd] : web_sockets) {
            addresses.push_back(address);
            web_servers.push_back(std::make_unique<HttpServer>(std::move(fd), [this](const HttpRequest& r) {
                return r.path.starts_with("/v1/") ? api.read(r) : pages.answer(r);
            }));
        }
        return joined(addresses);
    }

    void watch_signals() {
        for (int number : {SIGTERM, SIGINT})
            signals.push_back(loop.on_signal(number, [this] { loop.stop(); }));
        signals.push_back(loop.on_signal(SIGHUP, [this] { loader.reload({{}, "SIGHUP"}); }));
    }

    void stay_alive(Duration period) {
        notify_alive();
        watchdog = loop.after(period, [this, period] { stay_alive(period); });
    }

    void reap() {
        front.reap();
        if (const auto limited = front.newly_limited(loop.now().mono))
            log.write(Severity::warning, "rate-limited", {{"responses", std::to_string(limited)}});
        reaper = loop.after(reap_every, [this] { reap(); });
    }
};

Daemon::Daemon(Loaded loaded, Helper helper, OpenedState state)
    : state_(std::make_unique<State>(std::move(loaded), std::move(helper), std::move(state))) {}
Daemon::~Daemon() = default;

void Daemon::run() { state_->loop.run(); }

} // namespace fairway::daemon
