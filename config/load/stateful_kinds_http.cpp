// Products that are asked by their own HTTP interface, and the facts that any answer in JSON can hold.
#include "config/load/kind_readers.hpp"

namespace fairway::load {
namespace {

using Fact = FactRule::Fact;

ApiAccess read_api(const Mapping& m) {
    ApiAccess api;
    api.tls = m.has("tls");
    read_tls(m, api.tls_settings);
    m.read("sni", api.sni);
    if (!api.tls && m.has("sni")) m.problems().error(m.place_of("sni"), "`sni` only makes sense with `tls`");
    return api;
}

/// Of products that ask who is there.
ApiAccess read_api_login(const Mapping& m) {
    ApiAccess api = read_api(m);
    m.read("user", api.user);
    read_file(m, "password_file", api.password_file);
    if (api.user.empty() != api.password_file.empty())
        m.problems().error(m.place(), "`user` and `password_file` only make sense together");
    return api;
}

bool read_pointer(const Mapping& m, std::string_view key, FactRule& rule) {
    if (!m.read(key, rule.at)) return false;
    if (is_json_pointer(rule.at)) return true;
    m.problems().error(m.get(key)->place(), "`" + rule.at + "` is no JSON pointer such as /role");
    return false;
}

void read_plain(const Mapping& facts, std::string_view key, Fact fact, std::vector<FactRule>& out) {
    FactRule rule{.fact = fact};
    if (read_pointer(facts, key, rule)) out.push_back(std::move(rule));
}

void read_role(const Mapping& facts, std::vector<FactRule>& out) {
    const Node* n = facts.get("role");
    if (!n) return;
    const Mapping m(*n, "checks.*.facts.role", facts.problems(), "at");
    FactRule rule{.fact = Fact::role, .primary = {"primary"}, .standby = {"standby"}};
    m.read("primary", rule.primary);
    m.read("standby", rule.standby);
    if (read_pointer(m, "at", rule)) out.push_back(std::move(rule));
}

/// `is` is the key of the comparison in the schema.
void read_flag(const Mapping& m, std::string_view is, Fact fact, std::vector<FactRule>& out) {
    FactRule rule{.fact = fact};
    if (const Node* n = m.get("is")) read_comparison(*n, is, rule.is.emplace(), m.problems());
    if (read_pointer(m, "at", rule)) out.push_back(std::move(rule));
}

void read_flags(const Mapping& facts, std::vector<FactRule>& out) {
    if (const Node* n = facts.get("quorum"))
        read_flag(Mapping(*n, "checks.*.facts.quorum", facts.problems(), "at"), "checks.*.facts.quorum.is",
                  Fact::quorum, out);
    if (const Node* n = facts.get("read_only"))
        read_flag(Mapping(*n, "checks.*.facts.read_only", facts.problems(), "at"),
                  "checks.*.facts.read_only.is", Fact::read_only, out);
}

void read_lag(const Mapping& facts, std::vector<FactRule>& out) {
    const Node* n = facts.get("lag");
    if (!n) return;
    const Mapping m(*n, "checks.*.facts.lag", facts.problems(), "at");
    FactRule rule{.fact = Fact::lag};
    Duration unit = 1s;
    m.read("unit", unit);
    rule.unit = std::chrono::duration<double>(unit).count();
    if (read_pointer(m, "at", rule)) out.push_back(std::move(rule));
}

} // namespace

std::vector<FactRule> read_facts(const Mapping& m) {
    std::vector<FactRule> out;
    const Node* n = m.get("facts");
    if (!n) return out;
    const Mapping facts(*n, "checks.*.facts", m.problems());
    read_role(facts, out);
    read_flags(facts, out);
    read_lag(facts, out);
    read_plain(facts, "epoch", Fact::epoch, out);
    read_plain(facts, "position", Fact::position, out);
    read_plain(facts, "system", Fact::system, out);
    read_plain(facts, "weight", Fact::weight, out);
    read_plain(facts, "load", Fact::load, out);
    return out;
}

PatroniCheck read_patroni(const Mapping& m) { return {read_api(m)}; }
EtcdCheck read_etcd(const Mapping& m) { return {read_api(m)}; }
NatsCheck read_nats(const Mapping& m) { return {read_api(m)}; }
RabbitmqCheck read_rabbitmq(const Mapping& m) { return {read_api_login(m)}; }

} // namespace fairway::load
