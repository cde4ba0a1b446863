#include "daemon/metrics.hpp"

#include "daemon/state_words.hpp"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace fairway::daemon {

using namespace policies;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

constexpr auto changes = static_cast<std::size_t>(Change::configuration_refused) + 1;

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

/// The words of people as label values: "all down" is all_down.
std::string label(std::string_view words) {
    std::string text(words);
    std::ranges::replace_if(
        text, [](char c) { return c == ' ' || c == '-'; }, '_');
    return text;
}

/// One family as it is filled. Adds itself to the page when it is complete, unless it has no series.
class Family {
  public:
    Family(std::vector<MetricFamily>& page, MetricType type, std::string name, std::string help)
        : page_(page) {
        family_.type = type;
        family_.name = "fairway_" + std::move(name);
        family_.help = std::move(help);
    }
    ~Family() {
        if (!family_.metric.empty()) page_.push_back(std::move(family_));
    }
    void add(std::vector<ClientMetric::Label> labels, double value) {
        ClientMetric m;
        m.label = std::move(labels);
        if (family_.type == MetricType::Counter) m.counter.value = value;
        else m.gauge.value = value;
        family_.metric.push_back(std::move(m));
    }
    void add(const ClientMetric& collected) { family_.metric.push_back(collected); }

  private:
    std::vector<MetricFamily>& page_;
    MetricFamily family_;
};

using Page = std::vector<MetricFamily>;
constexpr auto gauge = MetricType::Gauge;
constexpr auto counter = MetricType::Counter;

/// "all down: last_good" is in state "all_down", and the mode is what follows.
std::string service_state(const ServiceReport& s) { return label(s.state.substr(0, s.state.find(':'))); }
std::string all_down_mode(const ServiceReport& s) {
    constexpr std::string_view prefix = "all down: ";
    return s.state.starts_with(prefix) ? label(s.state.substr(prefix.size())) : "";
}

void daemon_itself(Page& page, const Report& r, Duration age) {
    Family(page, gauge, "build_info", "Which Fairway this is.").add({{"version", FAIRWAY_VERSION}}, 1);
    Family(page, gauge, "generation", "Number of the answers published last; never goes back.")
        .add({}, static_cast<double>(r.generation));
    Family(page, gauge, "state_age_seconds",
           "Age of the states on this page; above 1 the control thread is busy.")
        .add({}, seconds(age));
    Family(page, gauge, "self_doubt", "1 while this node believes that itself is cut off.").add({}, r.doubt);
    if (r.drill && r.drill->running)
        Family(page, gauge, "drill", "1 while a drill plays this datacenter lost; absent without one.")
            .add({{"datacenter", r.drill->datacenter}}, 1);
    Family alarms(page, gauge, "alarm", "1 for each alarm that is raised.");
    for (const auto& a : r.alarms)
        alarms.add({{"id", a.id},
                    {"severity", std::string(to_string(a.severity))},
                    {"service", a.service},
                    {"datacenter", a.datacenter}},
                   1);
    Family frozen(page, gauge, "freeze_age_seconds", "How long a freeze has held the answers of a service.");
    for (const auto& a : r.alarms)
        if (a.id == "frozen")
            frozen.add({{"service", a.service}}, std::chrono::duration<double>(r.at.mono - a.since).count());
}

void services(Page& page, const Report& r) {
    Family state(page, gauge, "service_state", "1 for the state a service is in.");
    Family active(page, gauge, "service_active", "1 for the datacenter that answers, where it is one.");
    Family preferred(page, gauge, "service_preferred",
                     "1 for the datacenter that would answer if all were fit.");
    Family mode(page, gauge, "service_on_all_down",
                "1 for the on_all_down mode in force; absent while anything is fit.");
    Family step(page, gauge, "service_switch_step",
                "1 for the step of the switch under way; absent without one.");
    Family ttl(page, gauge, "service_ttl_seconds", "TTL of the answers now.");
    Family survives(page, gauge, "service_survives", "How many failure domains it may lose now.");
    Family designed(page, gauge, "service_designed_to_survive",
                    "How many failure domains it may lose if all is well.");
    Family missed(page, gauge, "service_objectives_missed",
                  "1 while its rto or rpo could not be kept to if a site were lost now.");
    Family diverging(
        page, gauge, "service_diverging_seconds",
        "For how long both sides of its store have been written while cut off; absent if they are not.");
    Family at_risk(page, gauge, "service_last_fault_lag_seconds",
                   "How far the others were behind the datacenter that failed last when it did.");
    for (const auto& s : r.services) {
        using Seconds = std::chrono::duration<double>;
        if (s.diverging_since)
            diverging.add({{"service", s.name}}, Seconds(r.at.wall - *s.diverging_since).count());
        if (s.fault && s.fault->lag)
            at_risk.add({{"service", s.name}, {"datacenter", s.fault->datacenter}},
                        Seconds(*s.fault->lag).count());
        state.add({{"service", s.name}, {"state", service_state(s)}}, 1);
        ttl.add({{"service", s.name}}, s.ttl);
        survives.add({{"service", s.name}}, s.survives);
        designed.add({{"service", s.name}}, s.designed);
        missed.add({{"service", s.name}}, !s.missed.empty());
        if (!s.active.empty()) active.add({{"service", s.name}, {"datacenter", s.active}}, 1);
        if (!s.preferred.empty()) preferred.add({{"service", s.name}, {"datacenter", s.preferred}}, 1);
        if (const auto m = all_down_mode(s); !m.empty()) mode.add({{"service", s.name}, {"mode", m}}, 1);
        if (s.running) step.add({{"service", s.name}, {"step", label(to_string(s.running->step))}}, 1);
    }
}

void endpoints(Page& page, const Report& r) {
    Family state(page, gauge, "endpoint_state", "1 for the state an endpoint is in.");
    Family share(page, gauge, "endpoint_share", "Its share of the answers, 0 to 1.");
    Family lag(page, gauge, "endpoint_lag_seconds",
               "Replication lag of its stateful tier, where it is known.");
    Family use(page, gauge, "endpoint_use", "Load of its site in parts of the capacity, where it is known.");
    Family limit(page, gauge, "endpoint_limit",
                 "The most of any clients that its load leaves it; 1: all of them.");
    for (const auto& s : r.services)
        for (const auto& e : s.endpoints) {
            state.add({{"service", s.name}, {"datacenter", e.datacenter}, {"state", endpoint_state(e)}}, 1);
            share.add({{"service", s.name}, {"datacenter", e.datacenter}}, e.share);
            if (e.lag) lag.add({{"service", s.name}, {"datacenter", e.datacenter}}, seconds(*e.lag));
            if (e.use) use.add({{"service", s.name}, {"datacenter", e.datacenter}}, *e.use);
            if (e.use || e.limit < 1) limit.add({{"service", s.name}, {"datacenter", e.datacenter}}, e.limit);
        }
}

void datacenters(Page& page, const Report& r) {
    Family load(page, gauge, "datacenter_load", "Load of a datacenter, in the unit of its capacity.");
    Family capacity(page, gauge, "datacenter_capacity", "What a datacenter can bear, as configured.");
    Family use(page, gauge, "datacenter_use", "Load of a datacenter in parts of its capacity.");
    for (const auto& d : r.datacenters) {
        if (d.load) load.add({{"datacenter", d.name}}, *d.load);
        if (d.capacity) capacity.add({{"datacenter", d.name}}, *d.capacity);
        if (d.use) use.add({{"datacenter", d.name}}, *d.use);
    }
}

void members(Page& page, const Report& r) {
    Family state(page, gauge, "member_state", "1 for the state of a target of a check.");
    Family took(page, gauge, "member_probe_seconds", "How long its last probe took.");
    Family ends(page, gauge, "member_certificate_expiry_timestamp_seconds",
                "When the certificate that it showed last ends, in seconds since 1970.");
    for (const auto& m : r.members) {
        std::vector<ClientMetric::Label> who{{"check", m.check},
                                             {"datacenter", m.datacenter},
                                             {"kind", m.kind},
                                             {"member", std::to_string(m.id)},
                                             {"target", m.target}};
        if (m.last) took.add(who, seconds(m.last->ended - m.last->begun));
        if (m.last && m.last->facts.certificate_ends)
            ends.add(who, static_cast<double>(m.last->facts.certificate_ends->time_since_epoch() / 1s));
        who.push_back({"state", member_state(m)});
        state.add(std::move(who), 1);
    }
}

/// The rcodes' names, as the IANA registry has them.
std::string rcode_name(std::size_t rcode) {
    static constexpr std::array<std::string_view, 6> first{"NOERROR",  "FORMERR", "SERVFAIL",
                                                           "NXDOMAIN", "NOTIMP",  "REFUSED"};
    if (rcode < first.size()) return std::string(first[rcode]);
    if (rcode == 16) return "BADVERS";
    return rcode == 23 ? "BADCOOKIE" : std::to_string(rcode);
}

void dns_work(Page& page, const DnsCounts& dns) {
    Family queries(page, counter, "dns_queries_total", "Packets and messages received.");
    Family responses(page, counter, "dns_responses_total", "Responses, by rcode.");
    Family silent(page, counter, "dns_silent_total", "Received, but not a query: no answer.");
    Family truncated(page, counter, "dns_truncated_total", "Responses cut to size, with TC set.");
    Family errors(page, counter, "dns_send_errors_total", "Responses that the system would not take.");
    for (const auto& [transport, c] : {std::pair("udp", &dns.udp), std::pair("tcp", &dns.tcp)}) {
        queries.add({{"transport", transport}}, static_cast<double>(c->queries));
        silent.add({{"transport", transport}}, static_cast<double>(c->silent));
        truncated.add({{"transport", transport}}, static_cast<double>(c->truncated));
        errors.add({{"transport", transport}}, static_cast<double>(c->send_errors));
        for (std::size_t r = 0; r < c->by_rcode.size(); ++r)
            if (c->by_rcode[r] || r < 4)
                responses.add({{"transport", transport}, {"rcode", rcode_name(r)}},
                              static_cast<double>(c->by_rcode[r]));
    }
    Family(page, counter, "dns_tcp_connections_total", "TCP connections accepted.")
        .add({}, static_cast<double>(dns.tcp.connections));
    Family(page, gauge, "dns_tcp_connections", "TCP connections there are.")
        .add({}, static_cast<double>(dns.tcp.connections - dns.tcp.ended));
    Family closed(page, counter, "dns_tcp_closed_total", "TCP connections closed by a limit, by which.");
    constexpr std::array<std::string_view, dns::tcp_ends> ends{"idle",  "total",  "slow",
                                                               "crowd", "client", "junk"};
    for (std::size_t i = 0; i < ends.size(); ++i)
        closed.add({{"limit", std::string(ends[i])}}, static_cast<double>(dns.tcp.closed[i]));
    Family cookies(page, counter, "dns_cookies_total", "Queries with a DNS cookie, by what it was worth.");
    for (const auto& [name, state] :
         {std::pair("client", dns::CookieState::client), std::pair("bad", dns::CookieState::bad),
          std::pair("good", dns::CookieState::good)}) {
        const auto i = static_cast<std::size_t>(state);
        cookies.add({{"cookie", name}}, static_cast<double>(dns.udp.by_cookie[i] + dns.tcp.by_cookie[i]));
    }
    Family limited(page, counter, "dns_rate_limited_total",
                   "UDP responses beyond the rate, by class and what was sent instead.");
    constexpr std::array<std::string_view, RateLimitSettings::classes> classes{"answer", "nodata", "nxdomain",
                                                                               "referral", "error"};
    for (std::size_t i = 0; i < classes.size(); ++i) {
        const std::string name(classes[i]);
        limited.add({{"class", name}, {"action", "dropped"}}, static_cast<double>(dns.udp.dropped[i]));
        limited.add({{"class", name}, {"action", "slipped"}}, static_cast<double>(dns.udp.slipped[i]));
    }
}

void notifications(Page& page, const std::vector<NotificationCounts>& all) {
    std::map<std::pair<std::string, std::string>, NotificationCounts> by_host; // a label set occurs once
    for (const auto& n : all) {
        auto& sum = by_host[{n.via, n.host}];
        sum.sent += n.sent, sum.failed += n.failed, sum.dropped += n.dropped;
    }
    Family sent(page, counter, "notifications_sent_total",
                "Messages that Alertmanager or a webhook has taken.");
    Family failed(page, counter, "notifications_failed_total", "Attempts to send one that failed.");
    Family dropped(page, counter, "notifications_dropped_total",
                   "Transitions that a webhook will never be told.");
    for (const auto& [who, n] : by_host) {
        const std::vector<ClientMetric::Label> labels{{"via", who.first}, {"host", who.second}};
        sent.add(labels, static_cast<double>(n.sent));
        failed.add(labels, static_cast<double>(n.failed));
        dropped.add(labels, static_cast<double>(n.dropped));
    }
}

/// From one probe's time to a minute: where the promises lie (2.8 s, 9 s).
const prometheus::Histogram::BucketBoundaries until_decided{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2,
                                                            3,    5,    9,   15,   30,  60};
/// From a pointer swap to the store's patience and beyond.
const prometheus::Histogram::BucketBoundaries until_published{0.0005, 0.001, 0.002, 0.005, 0.01,
                                                              0.025,  0.1,   0.5,   1};
/// From a look within a rack to the longest timeouts.
const prometheus::Histogram::BucketBoundaries until_looked{0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                           0.25,  0.5,   1,    2,     5,    10};

/// How long probes take, by the kind of their check and the datacenter they look at: few series, however
/// many targets there are.
class ProbeTimes {
  public:
    void observe(const Observation& seen, const Engine& engine) {
        if (seen.outcome == Outcome::unknown) return; // our own fault: it says nothing of the target
        auto known = by_member_.find(seen.member);
        if (known == by_member_.end()) {
            learn(engine.members());
            known = by_member_.try_emplace(seen.member, nullptr).first; // gone since, if it is not there
        }
        if (known->second) known->second->Observe(seconds(seen.ended - seen.begun));
    }
    void add_to(Family& family) const {
        const std::lock_guard hold(mutex_);
        for (const auto& [of, times] : times_) {
            ClientMetric m = times.Collect();
            m.label = {{"datacenter", of.second}, {"kind", of.first}};
            family.add(m);
        }
    }

  private:
    void learn(std::span<const Member> members) {
        const std::lock_guard hold(mutex_);
        by_member_.clear();
        for (const Member& m : members) {
            const std::pair of{std::string(kind_name(m.spec.check->kind)), m.spec.datacenter};
            by_member_[m.id] = &times_.try_emplace(of, until_looked).first->second;
        }
    }

    std::unordered_map<MemberId, prometheus::Histogram*> by_member_; ///< the control thread's
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, prometheus::Histogram> times_; ///< by kind and datacenter
};

}

struct Metrics::State {
    ProbeTimes probes;
    std::array<prometheus::Counter, changes> transitions;
    prometheus::Histogram detection{until_decided}, decision{until_decided}, publish{until_published};
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::seen(std::span<const Observation> batch, const Engine& engine) {
    for (const Observation& o : batch) state_->probes.observe(o, engine);
}

void Metrics::happened(const Happening& h) {
    const auto& t = h.transition;
    state_->transitions[static_cast<std::size_t>(t.change)].Increment();
    if (t.change == Change::member_down && t.fault) state_->detection.Observe(seconds(t.decided - *t.fault));
}

void Metrics::answered(const Happening& h) {
    const auto& t = h.transition;
    if (t.change != Change::plan_changed) return;
    if (t.fault) state_->decision.Observe(seconds(t.decided - *t.fault));
    state_->publish.Observe(seconds(*h.published - t.decided));
}

std::string Metrics::text(const Report& report, const Vitals& vitals, Duration age) const {
    Page page;
    daemon_itself(page, report, age);
    Family(page, gauge, "probe_lag_seconds",
           "How late looks began at worst in the last 10 to 20 s; above an interval verdicts are stale.")
        .add({}, seconds(vitals.probe_lag));
    Family(page, gauge, "event_streams",
           "Readers of /v1/events; there may be 16, and 16 over the control socket.")
        .add({}, vitals.event_streams);
    services(page, report);
    endpoints(page, report);
    datacenters(page, report);
    members(page, report);
    dns_work(page, vitals.dns);
    notifications(page, vitals.notifications);
    {
        Family transitions(page, counter, "transitions_total", "Changes, by what changed.");
        for (std::size_t i = 0; i < changes; ++i)
            transitions.add({{"change", label(to_string(static_cast<Change>(i)))}},
                            state_->transitions[i].Value());
    }
    constexpr auto histogram = MetricType::Histogram;
    {
        Family took(page, histogram, "probe_seconds", "How long probes took, by kind and datacenter.");
        state_->probes.add_to(took);
    }
    Family(page, histogram, "detection_seconds",
           "From the first probe that saw a fault to its member being down.")
        .add(state_->detection.Collect());
    Family(page, histogram, "decision_seconds",
           "From the first probe that saw a fault to a new answer decided.")
        .add(state_->decision.Collect());
    Family(page, histogram, "publish_seconds",
           "From a new answer decided to it being given, its write included.")
        .add(state_->publish.Collect());
    return prometheus::TextSerializer().Serialize(page);
}

} // namespace fairway::daemon
