// agent: a site says of itself what it can take, in HAProxy's agent-check text (HAProxy configuration manual,
// agent-check), so that agents that exist can be used.
//
// Words, separated by spaces or commas, the line ended by CR or LF: up, ready; down, failed, stopped, maint,
// each with a reason after #; a percentage of its share; drain, which is 0 %; maxconn:N, which is heard and
// not used. Where words contradict each other, the one that takes traffic away counts. Who is drained works,
// and is told in peace; who is down or in maintenance has failed.
#include "config/comparison.hpp"
#include "probes/checks/check.hpp"
#include "probes/checks/tools.hpp"

#include <algorithm>
#include <cstring>

namespace fairway::probes {

namespace {

constexpr std::size_t line_limit = 1024; // bytes; HAProxy reads as much as its buffer holds, agents say a few

enum class Word { goes_on, goes_out, other };

Word meaning(std::string_view word) {
    for (const std::string_view w : {"up", "ready"})
        if (word == w) return Word::goes_on;
    for (const std::string_view w : {"down", "failed", "stopped", "fail", "maint"})
        if (word == w) return Word::goes_out;
    return word.starts_with("maxconn:") ? Word::goes_on : Word::other;
}

/// "75%": 0.75. More than 100 % is legal for HAProxy, and is taken as the whole share.
std::optional<double> share(std::string_view word) {
    if (word == "drain") return 0.0;
    if (!word.ends_with('%')) return std::nullopt;
    const auto percent = parse_number(word.substr(0, word.size() - 1));
    if (!percent || *percent < 0) return std::nullopt;
    return std::min(*percent, 100.0) / 100;
}

Finding judge(std::string_view line) {
    const std::string said(line);
    Facts facts;
    bool heard = false;
    while (!line.empty()) {
        const std::size_t end = line.find_first_of(" ,\t");
        const std::string_view word = line.substr(0, end);
        line = end == line.npos ? std::string_view() : line.substr(end + 1);
        if (word.empty()) continue;
        const std::size_t why = word.find('#');
        const std::string_view state = word.substr(0, why);
        if (const auto weight = share(state)) {
            facts.weight = std::min(*weight, facts.weight.value_or(1));
        } else if (meaning(state) == Word::goes_out) {
            return because(Reason::reported_down, said);
        } else if (meaning(state) == Word::other) {
            return because(Reason::bad_response, "it said: " + said);
        }
        heard = true;
        if (why != word.npos) break; // the reason goes on to the end of the line
    }
    if (!heard) return because(Reason::bad_response, "an empty line");
    return pass(said, std::move(facts));
}

} // namespace

Task<Finding> look(const AgentCheck& check, Look at) {
    at.silence = Reason::timeout_connect;
    Task<Connection> connecting = connect(at.loop(), at.address, at.route());
    Connection c = co_await connecting;
    if (!c.stands()) co_return because(c.reason(at.address), c.text());

    Stream stream(at.loop(), std::move(c.socket), at.address);
    at.silence = Reason::timeout_first_byte;
    Task<Heard> writing = stream.write(check.send);
    const Heard written = co_await writing;
    if (written.reason != Reason::ok) co_return because(written.reason, written.detail);

    std::string came;
    while (came.find_first_of("\r\n") == std::string::npos) {
        Task<Heard> reading = stream.read();
        const Heard more = co_await reading;
        if (more.reason != Reason::ok) co_return because(more.reason, more.detail);
        if (more.text.empty() && came.empty()) co_return because(Reason::closed, "ended without a word");
        if (more.text.empty()) break; // some agents end the connection instead of the line
        at.silence = Reason::timeout_body;
        came += more.text;
        if (came.size() > line_limit)
            co_return because(Reason::oversize_body, "a line of more than 1024 bytes");
    }
    Finding found = judge(std::string_view(came).substr(0, came.find_first_of("\r\n")));
    at.tools.closing.spawn(Stream::close(std::move(stream)));
    co_return found;
}

} // namespace fairway::probes
