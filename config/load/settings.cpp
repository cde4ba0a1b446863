// node, http, control, state, probes, defaults, self_doubt, brake.
#include "config/load/binding.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace fairway::load {
namespace {

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "fairway";
}

SocketAddress socket(std::string_view text) { return *SocketAddress::parse(text); }

void read_node(const Node& n, Binding& b) {
    const Mapping m(n, "node", b.problems);
    m.read("name", b.model.node.name);
    m.read("runbook", b.model.node.runbook);
    std::string datacenter;
    if (!m.read("datacenter", datacenter)) return;
    b.node_datacenter = m.get("datacenter")->place();
    b.model.node.datacenter = b.datacenter(datacenter, b.node_datacenter);
}

void read_http(const Node& n, Binding& b) {
    Mapping(n, "http", b.problems).read("listen", b.model.http.listen);
}

void read_file(const Mapping& m, std::string_view key, std::string& out) {
    if (m.read(key, out)) readable_file(m.get(key), out, m.problems());
}

/// Whoever reads the tokens may command: they are not for everybody.
void read_tokens(const Mapping& m, std::string& out) {
    read_file(m, "tokens", out);
    struct stat s {};
    if (!out.empty() && stat(out.c_str(), &s) == 0 && (s.st_mode & S_IRWXO) != 0)
        m.problems().error(m.get("tokens")->place(),
                           "tokens: everybody may read or write " + out + "; say chmod o= to it");
}

void read_remote_control(const Mapping& m, Binding& b) {
    ControlSettings& c = b.model.control;
    m.read("listen", c.listen);
    if (const Node* n = m.get("tls")) {
        const Mapping tls(*n, "control.tls", b.problems);
        read_file(tls, "cert", c.cert_file);
        read_file(tls, "key", c.key_file);
    }
    read_tokens(m, c.tokens_file);
    if (!m.has("listen")) return;
    if (c.cert_file.empty() || c.key_file.empty() || c.tokens_file.empty())
        b.problems.error(
            m.get("listen")->place(),
            "control.listen: remote control needs `tls: {cert: FILE, key: FILE}` and `tokens: FILE`");
}

void read_control(const Node& n, Binding& b) {
    const Mapping m(n, "control", b.problems);
    read_remote_control(m, b);
    if (!m.read("socket", b.model.control.socket)) return;
    constexpr std::size_t longest = 107; // sockaddr_un::sun_path with its final zero
    if (b.model.control.socket.size() > longest)
        wrong(*m.get("socket"), *find_key("control.socket"), b.problems, "a path of at most 107 bytes");
}

void read_state(const Node& n, Binding& b) {
    const Mapping m(n, "state", b.problems);
    m.read("directory", b.model.state.directory);
    const Node* journal = m.get("journal");
    if (!journal) return;
    const Mapping j(*journal, "state.journal", b.problems);
    j.read("keep", b.model.state.journal_keep);
    j.read("megabytes", b.model.state.journal_megabytes);
}

void read_log(const Node& n, Binding& b) {
    using enum LogSettings::Format;
    Mapping(n, "log", b.problems).choose("format", b.model.log.format, {{"logfmt", logfmt}, {"json", json}});
}

void read_probes(const Node& n, Binding& b) {
    Mapping(n, "probes", b.problems).read("threads", b.model.probes.threads);
}

void read_defaults(const Node& n, Binding& b) {
    const Mapping m(n, "defaults", b.problems);
    if (const Node* ttl = m.get("ttl")) read_ttl(*ttl, "defaults.ttl", b.default_ttl, b.problems);
    if (const Node* check = m.get("check"))
        read_timing(Mapping(*check, "defaults.check", b.problems), b.default_timing);
}

/// "tcp://ADDRESS:PORT", or "icmp://ADDRESS", which is kept as port 0.
void read_reference(const Node& n, Binding& b) {
    const Key& key = *find_key("self_doubt.references.[]");
    constexpr std::string_view tcp = "tcp://", icmp = "icmp://";
    const std::string_view text = n.is_scalar() ? std::string_view(n.text) : "";
    if (text.starts_with(icmp)) {
        if (const auto ip = IpAddress::parse(text.substr(icmp.size())))
            return b.model.self_doubt.references.push_back({*ip, 0});
    } else if (text.starts_with(tcp)) {
        const auto at = SocketAddress::parse(text.substr(tcp.size()));
        if (at && at->port != 0) return b.model.self_doubt.references.push_back(*at);
    }
    wrong(n, key, b.problems, "tcp://ADDRESS:PORT or icmp://ADDRESS");
}

void read_self_doubt(const Node& n, Binding& b) {
    const Mapping m(n, "self_doubt", b.problems);
    const Node* list = m.get("references");
    if (!list) return;
    if (!list->is_sequence()) return wrong(*list, *find_key("self_doubt.references"), b.problems);
    for (const Node& r : list->items) read_reference(r, b);
}

void read_brake(const Node& n, Binding& b) {
    const Mapping m(n, "brake", b.problems);
    m.read("max_share", b.model.brake.max_share);
    m.read("within", b.model.brake.within);
}

} // namespace

void read_ttl(const Node& n, std::string_view path, Ttl& out, Diagnostics& problems) {
    if (n.is_scalar()) {
        Key key = *find_key(std::string(path) + ".min"); // its bounds hold for both
        key.path = path;
        if (read_value(n, key, out.max, problems)) out.min = out.max;
        return;
    }
    const Mapping m(n, path, problems);
    Ttl ttl = out;
    const bool low = m.read("min", ttl.min), high = m.read("max", ttl.max);
    if (!low && !m.has("min")) return problems.error(m.place(), "ttl: `min` is missing");
    if (!high && !m.has("max")) return problems.error(m.place(), "ttl: `max` is missing");
    if (low && high && ttl.min > ttl.max)
        return problems.error(m.get("min")->place(),
                              "ttl: min " + to_string(ttl.min) + " is above max " + to_string(ttl.max));
    out = ttl;
}

void read_timing(const Mapping& m, CheckTiming& out) {
    m.read("interval", out.interval);
    m.read("timeout", out.timeout);
    m.read("retest", out.retest);
    m.read("hold_down", out.hold_down);
    m.read("fall", out.fall);
    m.read("rise", out.rise);
}

void read_settings(const Mapping& file, Binding& b) {
    b.model.node.name = host_name();
    set_dns_defaults(b.model.dns);
    b.model.http.listen = {socket("127.0.0.1:9553")};
    using Reader = void (*)(const Node&, Binding&);
    const std::pair<std::string_view, Reader> readers[] = {{"node", read_node},
                                                           {"dns", read_dns},
                                                           {"http", read_http},
                                                           {"control", read_control},
                                                           {"state", read_state},
                                                           {"probes", read_probes},
                                                           {"defaults", read_defaults},
                                                           {"self_doubt", read_self_doubt},
                                                           {"brake", read_brake},
                                                           {"alerts", read_alerts},
                                                           {"log", read_log}};
    for (const auto& [name, reader] : readers)
        if (const Node* n = file.get(name)) reader(*n, b);
}

} // namespace fairway::load
