#include "tests/sim/story.hpp"

#include "probes/push.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace fairway::sim {

using namespace policies;

namespace {

/// The first moment of every story, on the wall.
constexpr WallTime story_begins{std::chrono::sys_days{std::chrono::year{2026} / 11 / 20} + 7h};

std::string at_text(Moment at) {
    char text[32];
    std::snprintf(text, sizeof text, "%+12.3fs", std::chrono::duration<double>(at).count());
    return text;
}

std::string label_of(const Name& name) {
    auto text = name.to_string();
    return text.substr(0, text.find('.'));
}

} // namespace

// ---- the daemon: the real controller between simulated edges

struct Story::Daemon {
    Daemon(Story& story)
        : loop(story.time_, story_begins + story.stepped_,
               Instant(story.random_.between(0s, 24h))), // a clock of its own
          prober(
              loop, story.world_, story.random_.fork(), [this](auto batch) { controller->observe(batch); },
              [this](const auto& seen) { controller->resolved(seen); }),
          reports(loop, prober, [this](auto batch) { controller->observe(batch); }),
          store(loop, story.disk_),
          hooks(story.runbook_) {
        daemon::Outlets out;
        out.publish = [&story](auto changed, const auto& engine, auto n) {
            story.published(changed, engine, n);
        };
        out.happened = [&story](const auto& what) { story.happened(what); };
        out.last_id = story.last_id_;
        controller.emplace(loop, reports, store, hooks, std::move(out), story.model_, story.disk_.restored());
    }

    SimLoop loop;
    SimProber prober;
    probes::PushDesk reports;
    SimStore store;
    SimHooks hooks;
    std::optional<daemon::Controller> controller;
};

Story::Story(std::string_view yaml, std::uint64_t seed)
    : seed_(seed), random_(seed), model_(load_story(yaml)), world_(time_, model_), runbook_(time_, world_) {}

Story::~Story() = default;

void Story::start() {
    started_ = true;
    writes_before_ = disk_.writes();
    daemon_ = std::make_unique<Daemon>(*this);
    daemon_->controller->start();
}

Now Story::clock() const { return daemon_->loop.now(); }

void Story::runs(Duration d) {
    if (!started_) start();
    time_.run_until(now() + d);
}

bool Story::runs_until(const std::function<bool()>& so, Duration limit) {
    if (!started_) start();
    auto end = now() + limit;
    while (!so())
        if (!time_.step(end)) return so();
    return true;
}

void Story::kill_daemon() {
    looks_before_ += looks_now();
    if (disk_.writes() == writes_before_) last_generation_ = 0; // nothing it said is on disk: nobody can know
    daemon_.reset();
    for (auto& [name, answers] : answers_) answers.nobody(now());
}

void Story::restart(Duration away) {
    kill_daemon();
    time_.run_until(now() + away);
    start();
}

void Story::lose_disk() {
    disk_.lose();
    last_generation_ = 0;
}

void Story::stall_daemon(Duration d) {
    stall_ = {now(), now() + d};
    daemon_->loop.stall(d);
    daemon_->prober.stall(d);
}

void Story::step_clock(Duration by) {
    stepped_ += std::chrono::duration_cast<std::chrono::milliseconds>(by);
    if (daemon_) daemon_->loop.step_clock(by);
}

void Story::reload(std::string_view yaml) {
    model_ = load_story(yaml);
    daemon_->controller->reload(model_);
}

void Story::learns(const Learned& all) {
    auto model = std::make_shared<Model>(*model_);
    model->clients = over(*model_, model_->clients, all);
    model_ = model;
    daemon_->controller->reload(model_);
}

// ---- the world

Moment Story::kill(const std::string& site) {
    world_.site(site).alive = false;
    world_.settle();
    return now();
}

Moment Story::revive(const std::string& site) {
    world_.site(site).alive = true;
    world_.settle();
    return now();
}

Moment Story::partition(const std::string& site) {
    world_.site(site).reachable = false;
    world_.settle();
    return now();
}

Moment Story::heal(const std::string& site) {
    world_.site(site).reachable = true;
    world_.site(site).unreachable_at_once = false;
    world_.settle();
    return now();
}

Moment Story::unreachable(const std::string& site) {
    world_.site(site).unreachable_at_once = true;
    return partition(site);
}

Moment Story::cut_uplink() {
    world_.uplink = false;
    return now();
}

Moment Story::mend_uplink() {
    world_.uplink = true;
    return now();
}

Moment Story::application(const std::string& site, const Sight& says) {
    for (auto* t : world_.applications(site)) target(t->name, says);
    return now();
}

Moment Story::application_works(const std::string& site) {
    for (auto* t : world_.applications(site)) target_works(t->name);
    return now();
}

Moment Story::target(const std::string& name, const Sight& says) {
    world_.target(name).says = says;
    return now();
}

Moment Story::target_works(const std::string& name) {
    world_.target(name).says.reset();
    return now();
}

Moment Story::references(const Sight& says) {
    for (auto* t : world_.targets("")) t->says = says;
    return now();
}

Moment Story::references_work() {
    for (auto* t : world_.targets("")) t->says.reset();
    return now();
}

Moment Story::crash_process(const std::string& name) {
    target(name, saying::refused());
    drop_connections(name);
    return now();
}

void Story::drop_connections(const std::string& name) {
    if (daemon_) daemon_->prober.watched_end(world_.target(name));
}

void Story::store_reports(const std::string& site, const Facts& facts) {
    for (auto* t : world_.targets(site))
        if (t->database) t->says = Sight{.facts = facts};
}

bool Story::pushes(const std::string& check, const std::string& site, const Facts& facts, Outcome outcome) {
    probes::Finding said{outcome, outcome == Outcome::fail ? Reason::reported_down : Reason::ok, "reported",
                         facts};
    return daemon_->reports.report(check, site, std::move(said));
}

Cluster& Story::database_of(const std::string& name) { return world_.cluster_of(service(name)); }

// ---- operators

CommandResult Story::command(decltype(Command::what) what, bool while_frozen,
                             const daemon::StateStore::Done& stored) {
    return daemon_->controller->command({std::move(what), "ana", while_frozen}, stored);
}

CommandResult Story::sets(Override::Kind kind, const std::string& name, const std::string& site,
                          bool while_frozen) {
    auto whole = meant(name);
    return command(SetOverride{.scope = {whole, site}, .reason = "by hand", .kind = kind}, while_frozen);
}

CommandResult Story::ends(Override::Kind kind, const std::string& name, const std::string& site,
                          bool while_frozen) {
    auto whole = meant(name);
    return command(EndOverride{{whole, site}, kind}, while_frozen);
}

CommandResult Story::drain(const std::string& name, const std::string& site, bool force, Duration lasts,
                           const daemon::StateStore::Done& stored) {
    auto whole = meant(name);
    return command(
        SetOverride{.scope = {whole, site}, .reason = "works on it", .lasts = lasts, .force = force}, false,
        stored);
}

CommandResult Story::undrain(const std::string& name, const std::string& site,
                             const daemon::StateStore::Done& stored) {
    auto whole = meant(name);
    return command(EndOverride{.scope = {whole, site}}, false, stored);
}

bool Story::drained(const std::string& name, const std::string& site) const {
    const auto whole = meant(name);
    return std::ranges::any_of(engine().overrides(), [&](const Override& o) {
        return o.kind == Override::Kind::drain && o.scope.service == whole && o.scope.datacenter == site;
    });
}

CommandResult Story::failover(const std::string& name, const std::string& to, bool accept_claim) {
    return command(Failover{service(name).title(), to, accept_claim});
}

CommandResult Story::failback(const std::string& name) { return command(Failback{service(name).title()}); }

CommandResult Story::approve(const std::string& id, bool while_frozen) {
    return command(Approve{id}, while_frozen);
}

CommandResult Story::move(const std::string& name, const std::string& to, bool dry_run) {
    return command(Move{service(name).title(), to, dry_run});
}

CommandResult Story::gives_up(const std::string& name, bool force) {
    return command(Abort{service(name).title(), force});
}

CommandResult Story::loses(const std::string& site, Duration lasts, bool with_hooks) {
    return command(SetOverride{.scope = {.datacenter = site},
                               .reason = "drill",
                               .lasts = lasts,
                               .kind = Override::Kind::drill,
                               .with_hooks = with_hooks});
}

CommandResult Story::gives_up_drill() { return command(EndOverride{.kind = Override::Kind::drill}); }

std::string Story::waiting_switch(const std::string& name) {
    auto running = report(name).running;
    return running && running->step == SwitchStep::awaiting_approval ? running->id : "";
}

// ---- what clients were told

const Service& Story::service(const std::string& label) const {
    for (const auto& s : model_->services)
        if (label_of(s.name) + Title{{}, s.family}.to_string().substr(1) == label) return s;
    throw std::out_of_range("no service " + label);
}

std::string Story::meant(const std::string& label) const {
    for (const auto& s : model_->services)
        if (s.family && label_of(s.name) == label) return s.name.to_string();
    return label.empty() ? "" : service(label).title();
}

const Answers& Story::history(const std::string& name) const { return answers_.at(service(name).title()); }

std::string Story::answers(const std::string& name) const { return history(name).now().text; }

std::string Story::answers(const std::string& name, const std::string& client) const {
    const auto address = IpAddress::parse(client).value();
    return text_for(history(name).now().plan, service(name), *model_, address);
}

std::vector<std::string> Story::addresses(const std::string& name, const std::string& site) const {
    std::vector<std::string> all;
    for (const auto& choice : history(name).now().plan.choices)
        if (model_->datacenter_of(service(name), choice.endpoint).name == site)
            for (const auto& a : choice.addresses) all.push_back(a.to_string());
    return all;
}

std::uint32_t Story::ttl(const std::string& name) const { return history(name).now().plan.ttl; }
std::size_t Story::moves(const std::string& name, Moment since) const { return history(name).moves(since); }

bool Story::named(const std::string& name, const std::string& site, Moment from, Moment until) const {
    return history(name).named(site, from, until);
}

bool Story::said(const std::string& name, const std::string& text, Moment from, Moment until) const {
    return history(name).said(text, from, until);
}

std::optional<Moment> Story::first(const std::string& name, const std::string& text, Moment from) const {
    return history(name).first(text, from);
}

// ---- what Fairway says of itself

bool Story::matches(const Entry& e, Change change, Moment since, const std::string& about) const {
    const auto& t = e.what.transition;
    bool is_about = about.empty() || t.datacenter == about || t.subject.find(about) != std::string::npos ||
                    t.service.starts_with(about + ".");
    return t.change == change && e.at >= since && is_about;
}

std::vector<Entry> Story::all(Change change, Moment since) const {
    std::vector<Entry> found;
    for (const auto& e : journal_)
        if (matches(e, change, since, "")) found.push_back(e);
    return found;
}

std::size_t Story::count(Change change, Moment since, const std::string& about) const {
    auto is = [&](const Entry& e) { return matches(e, change, since, about); };
    return static_cast<std::size_t>(std::ranges::count_if(journal_, is));
}

std::optional<Moment> Story::first(Change change, Moment since, const std::string& about) const {
    for (const auto& e : journal_)
        if (matches(e, change, since, about)) return e.at;
    return std::nullopt;
}

bool Story::critical(const std::string& name, Moment since) const {
    return std::ranges::any_of(journal_, [&](const Entry& e) {
        const auto& t = e.what.transition;
        return e.at >= since && t.severity == Severity::critical && t.service.starts_with(name + ".");
    });
}

std::string Story::journal_text() const {
    std::string text;
    for (const auto& e : journal_) {
        const auto& t = e.what.transition;
        text +=
            at_text(e.at) + " " + std::string(to_string(t.severity)) + " " + std::string(to_string(t.change));
        for (const auto* word : {&t.service, &t.datacenter, &t.subject})
            if (!word->empty()) text += " " + *word;
        if (!t.from.empty() || !t.to.empty()) text += " [" + t.from + " -> " + t.to + "]";
        text += ": " + t.reason;
        for (const auto& line : t.evidence) text += "\n                  | " + line;
        text += "\n";
    }
    return text;
}

Report Story::report() const { return daemon_->controller->report(); }

ServiceReport Story::report(const std::string& name) const {
    auto whole = service(name).title();
    for (auto& s : report().services)
        if (s.name == whole) return s;
    throw std::out_of_range("no report of " + name);
}

EndpointReport Story::endpoint(const std::string& name, const std::string& site) const {
    for (auto& e : report(name).endpoints)
        if (e.datacenter == site) return e;
    throw std::out_of_range("no endpoint " + name + " in " + site);
}

bool Story::alarm(const std::string& id) const {
    return std::ranges::any_of(report().alarms, [&](const Alarm& a) { return a.id == id; });
}

const Engine& Story::engine() const { return daemon_->controller->engine(); }
std::size_t Story::members() const { return daemon_->prober.members(); }
std::uint64_t Story::looks_now() const { return daemon_->prober.looks(); }

// ---- what is watched throughout

void Story::problem(const std::string& text) { problems_ += at_text(now()) + " " + text + "\n"; }

void Story::published(std::span<const ServiceIndex> changed, const Engine& engine, std::uint64_t generation) {
    if (generation <= last_generation_) problem("the generation went back");
    last_generation_ = generation;
    for (auto index : changed) {
        const auto& service = engine.model().services.at(index);
        const auto& plan = engine.plan(index);
        auto name = service.title();
        if (auto wrong = malformed(plan, service, engine.model()); !wrong.empty())
            problem(name + ": " + wrong);
        auto& history = answers_[name];
        auto before = history.empty() ? "" : history.now().text;
        history.add(now(), plan, service, engine.model(), generation);
        bool first = before.empty() || before == "no daemon";
        if (!first && before != history.now().text && !explained(name))
            problem(name + ": no transition explains " + before + " -> " + history.now().text);
    }
}

// The store may keep an answer waiting for half a second after its transition, and a daemon that does not run
// longer.
bool Story::explained(const std::string& service) const {
    auto recent = now() - daemon::Controller::store_patience - 10ms;
    if (stall_.second >= recent) recent = std::min(recent, stall_.first);
    for (auto e = journal_.rbegin(); e != journal_.rend() && e->at >= recent; ++e)
        if (e->what.transition.service == service) return true;
    return false;
}

void Story::happened(const daemon::Happening& what) {
    last_id_ = what.id;
    journal_.push_back({now(), what});
}

} // namespace fairway::sim
