// alerts: whom alarms and transitions are told.
#include "config/load/binding.hpp"

namespace fairway::load {
namespace {

bool is_loopback(std::string_view url) {
    for (std::string_view start : {"http://127.", "http://[::1]", "http://localhost:", "http://localhost/"})
        if (url.starts_with(start)) return true;
    return false;
}

bool is_web(std::string_view url) {
    const auto start = url.find("://") + 3;
    return (url.starts_with("http://") || url.starts_with("https://")) && start < url.size() &&
           url.find('@') == std::string_view::npos;
}

/// A URL, or {url, token, ca}.
void read_target(const Node& n, const std::string& path, std::vector<AlertTarget>& out, Binding& b) {
    const Mapping m(n, path, b.problems, "url");
    AlertTarget t;
    if (!m.read("url", t.url)) return;
    if (!is_web(t.url))
        return wrong(*m.get("url"), *find_key(path + ".url"), b.problems,
                     "http://HOST... or https://HOST... without a user or a password");
    for (const auto& [key, file] : {std::pair("token", &t.token_file), std::pair("ca", &t.ca_file)})
        if (m.read(key, *file)) readable_file(m.get(key), *file, b.problems);
    if (!t.token_file.empty() && !t.url.starts_with("https://") && !is_loopback(t.url))
        return b.problems.error(m.place_of("token"),
                                "token: it is a secret; the URL must begin with https://");
    out.push_back(std::move(t));
}

void read_targets(const Mapping& m, std::string_view key, std::vector<AlertTarget>& out, Binding& b) {
    constexpr std::size_t most = 8; // each has a thread
    const Node* n = m.get(key);
    if (!n) return;
    const std::string path = "alerts." + std::string(key) + ".[]";
    if (!n->is_sequence()) return read_target(*n, path, out, b);
    for (const Node& item : n->items) read_target(item, path, out, b);
    if (out.size() > most)
        b.problems.error(n->place(), std::string(key) + ": at most " + std::to_string(most) + " of them");
}

} // namespace

void read_alerts(const Node& n, Binding& b) {
    const Mapping m(n, "alerts", b.problems);
    read_targets(m, "alertmanager", b.model.alerts.alertmanagers, b);
    read_targets(m, "webhooks", b.model.alerts.webhooks, b);
    m.read("repeat", b.model.alerts.repeat);
}

} // namespace fairway::load
