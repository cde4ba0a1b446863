// zookeeper: the four-letter word srvr, the one that 4lw.commands.whitelist does not forbid since 3.5 (manual:
// packaging/recipes/zookeeper.yaml).
#include "probes/checks/api.hpp"
#include "probes/checks/opening.hpp"
#include "probes/checks/tools.hpp"

#include <charconv>

namespace fairway::probes {

namespace {

constexpr std::size_t longest = 16384; // bytes; what it says is some hundred

/// Of "Name: value" on a line of its own.
std::string_view field(std::string_view text, std::string_view name) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        if (line.starts_with(name) && line.substr(name.size()).starts_with(": "))
            return line.substr(name.size() + 2);
        at = end + 1;
    }
    return {};
}

/// A zxid's high half: it grows with each leader (ZooKeeper internals, "Atomic broadcast").
std::optional<std::uint64_t> epoch_of(std::string_view zxid) {
    std::uint64_t n = 0;
    if (!zxid.starts_with("0x")) return std::nullopt;
    const auto [end, error] = std::from_chars(zxid.data() + 2, zxid.data() + zxid.size(), n, 16);
    if (error != std::errc() || end != zxid.data() + zxid.size()) return std::nullopt;
    return n >> 32;
}

Finding judge(std::string_view said) {
    Facts facts;
    if (said.find("is not currently serving requests") != said.npos) {
        facts.quorum = false;
        return because(Reason::no_quorum, "not serving: no quorum", std::move(facts));
    }
    if (said.find("is not in the whitelist") != said.npos)
        return because(Reason::auth_failure, "add srvr to 4lw.commands.whitelist");
    const std::string_view mode = field(said, "Mode");
    facts.epoch = epoch_of(field(said, "Zxid"));
    facts.quorum = true;
    if (mode == "leader" || mode == "standalone") facts.role = Role::primary;
    else if (mode == "follower" || mode == "observer") facts.role = Role::standby;
    else if (mode != "read-only") return because(Reason::bad_response, "it said: " + std::string(said));
    if (facts.role) return pass(std::string(mode), std::move(facts));
    facts.quorum = false; // cut off from the others, it shows what it last knew
    facts.read_only = true;
    return degraded(Reason::no_quorum, "read-only", std::move(facts));
}

} // namespace

Task<Finding> look(const ZookeeperCheck& check, Look at) {
    Task<Opened> opening = open_stream(at, check.tls ? &check.tls_settings : nullptr, check.sni);
    Opened opened = co_await opening;
    if (!opened.stream) co_return std::move(opened.problem);
    Stream& stream = *opened.stream;
    Task<Heard> saying = say(stream, at, "srvr");
    const Heard said = co_await saying;
    if (said.reason != Reason::ok) co_return because(said.reason, said.detail);

    std::string came; // until the server ends the connection
    for (;;) {
        Task<Heard> reading = stream.read();
        const Heard more = co_await reading;
        if (more.reason != Reason::ok) co_return because(more.reason, more.detail);
        if (more.text.empty()) break;
        at.silence = Reason::timeout_body;
        came += more.text;
        if (came.size() > longest) co_return because(Reason::oversize_body, "more than 16 KiB");
    }
    if (came.empty()) co_return because(Reason::closed, "ended without a word");
    Finding found = judge(came);
    found = beside_certificate(std::move(found), stream.certificate_ends(), check.tls_settings, at.loop());
    at.tools.closing.spawn(Stream::close(std::move(stream)));
    co_return found;
}

} // namespace fairway::probes
