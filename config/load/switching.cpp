// failover, failback, on_all_down, on_no_primary and the runbook of a service, with the defaults of L12 and
// L14.
#include "config/load/draft.hpp"

#include <algorithm>
#include <unistd.h>

namespace fairway::load {
namespace {

bool ordered(const Service& s) { return std::holds_alternative<ActivePassive>(s.policy); }

void no_effect(const Mapping& m, std::string_view key, std::string_view why) {
    if (m.has(key))
        m.problems().warning(m.place_of(key),
                             "`" + std::string(key) + "` has no effect: " + std::string(why));
}

void read_lost_share(const Mapping& m, Service& s) {
    using enum Service::LostShare;
    Service::LostShare said{};
    if (!m.choose("lost_share", said, {{"next", next}, {"spread", spread}})) return;
    s.lost_share = said;
    if (std::holds_alternative<All>(s.policy)) no_effect(m, "lost_share", "every site is in every answer");
    if (ordered(s) && s.stateful && said == spread)
        m.problems().error(
            m.get("lost_share")->place(),
            "lost_share: with a `stateful` tier one site is active, its share cannot be spread");
}

void read_failover(const Mapping& service, Draft& d, Binding& b) {
    Service& s = d.service;
    s.failover = s.stateful ? Service::Failover::approval : Service::Failover::automatic;
    const Node* n = service.get("failover");
    if (!n) return;
    const Mapping m(*n, "services.*.failover", b.problems, "mode");
    m.choose("mode", s.failover,
             {{"automatic", Service::Failover::automatic}, {"approval", Service::Failover::approval}});
    if (!d.notes.usable) return;
    read_lost_share(m, s);
    if (!ordered(s))
        no_effect(m, "mode", "only active_passive fails over; other policies leave and return by themselves");
}

void read_failback(const Mapping& service, Draft& d, Binding& b) {
    Service& s = d.service;
    s.failback = s.stateful ? Service::Failback::manual : Service::Failback::delayed;
    const Node* n = service.get("failback");
    if (!n) return;
    const Mapping m(*n, "services.*.failback", b.problems, "mode");
    using enum Service::Failback;
    const bool said =
        m.choose("mode", s.failback, {{"auto", automatic}, {"delayed", delayed}, {"manual", manual}});
    const bool after = m.read("after", s.failback_after);
    if (after && !m.has("mode")) s.failback = delayed;
    if (said && after && s.failback != delayed) no_effect(m, "after", "only `mode: delayed` waits");
    if (!d.notes.usable) return;
    if (!ordered(s)) no_effect(service, "failback", "only active_passive fails back");
    else if (s.follows_primary())
        no_effect(service, "failback", "under `follow` the role alone moves traffic");
}

void read_on_all_down(const Mapping& service, Draft& d, Binding& b) {
    using enum OnAllDown::Mode;
    OnAllDown& out = d.service.on_all_down;
    out.mode = d.service.stateful ? last_good : as_if_all_up;
    const Node* n = service.get("on_all_down");
    if (!n) return;
    const Key& key = *find_key("services.*.on_all_down");
    if (n->is_scalar() && n->text == "static")
        return wrong(*n, key, b.problems, "its addresses: {static: [192.0.2.99]}");
    if (!n->is_mapping()) {
        service.choose("on_all_down", out.mode,
                       {{"as_if_all_up", as_if_all_up},
                        {"last_good", last_good},
                        {"all", all},
                        {"nodata", nodata},
                        {"servfail", servfail}});
        return;
    }
    const Mapping m(*n, "services.*.on_all_down", b.problems);
    out.mode = fixed;
    if (m.read("static", out.addresses) && out.addresses.empty())
        wrong(*m.get("static"), *find_key("services.*.on_all_down.static"), b.problems,
              "at least one address");
    else if (n->members.empty()) wrong(*n, key, b.problems, key.words);
}

void read_no_primary(const Mapping& service, Draft& d) {
    using enum Service::OnNoPrimary;
    service.choose("on_no_primary", d.service.on_no_primary,
                   {{"hold", hold}, {"standby", standby}, {"on_all_down", on_all_down}});
    service.read("no_primary_hold", d.service.no_primary_hold);
    if (d.service.follows_primary() || !d.notes.usable) return;
    for (std::string_view key : {"on_no_primary", "no_primary_hold"})
        no_effect(service, key, "this service does not follow a primary");
}

/// https, or http where nobody can listen.
bool hook_url(std::string_view url) {
    for (std::string_view start : {"http://127.", "http://[::1]", "http://localhost:", "http://localhost/"})
        if (url.starts_with(start)) return true;
    return url.starts_with("https://") && url.size() > std::string_view("https://").size();
}

void read_exec(const Mapping& m, Hook& hook) {
    if (!m.read("exec", hook.exec)) return;
    const Node& n = *m.get("exec");
    if (hook.exec.empty())
        return wrong(n, *find_key("services.*.hooks.*.exec"), m.problems(), "a program and its arguments");
    const Node& program = n.is_sequence() ? n.items.front() : n;
    if (program.text.find('/') == program.text.npos) return; // looked up in PATH when it is run
    hook.exec.front() = program.path().string();
    if (access(hook.exec.front().c_str(), X_OK) != 0)
        m.problems().warning(program.place(),
                             "`" + program.text + "` is not there or cannot be executed now");
}

Hook read_hook(const Node& n, bool fence, Binding& b) {
    Hook hook;
    const Mapping m(n, "services.*.hooks.*", b.problems);
    read_exec(m, hook);
    if (m.read("http", hook.http) && !hook_url(hook.http))
        wrong(*m.get("http"), *find_key("services.*.hooks.*.http"), b.problems,
              "https://..., or http:// to loopback");
    if (n.is_mapping() && m.has("exec") == m.has("http"))
        b.problems.error(m.place(), "a hook is either `exec` or `http`");
    m.read("timeout", hook.timeout);
    m.read("required", hook.required);
    if (!fence && m.has("required"))
        b.problems.error(m.place_of("required"), "`required` belongs to `fence`");
    return hook;
}

void read_hooks(const Mapping& service, Draft& d, Binding& b) {
    const Node* n = service.get("hooks");
    if (!n) return;
    const Mapping m(*n, "services.*.hooks", b.problems);
    using enum Hook::Step;
    constexpr std::pair<std::string_view, Hook::Step> steps[] = {
        {"prepare", prepare}, {"fence", fence},      {"promote", promote}, {"after_failover", after_failover},
        {"rejoin", rejoin},   {"failback", failback}};
    for (const auto& [name, step] : steps)
        if (const Node* hook = m.get(name)) d.service.hooks[step] = read_hook(*hook, step == fence, b);
    if (d.notes.usable && !ordered(d.service))
        no_effect(service, "hooks", "only active_passive has a runbook");
}

} // namespace

void read_switching(const Mapping& service, Draft& d, Binding& b) {
    read_failover(service, d, b);
    read_failback(service, d, b);
    read_on_all_down(service, d, b);
    read_no_primary(service, d);
    read_hooks(service, d, b);
}

} // namespace fairway::load
