// redis: what a server says of its own replication, what a Sentinel says of a group, what a node says of its
// cluster (manual: packaging/recipes/redis.yaml, with the access each needs).
//
// PING goes first: INFO answers while a server loads its data, has lost its master or cannot write any more;
// PING is refused then, as clients are.
#include "probes/checks/api.hpp"
#include "probes/checks/opening.hpp"
#include "probes/checks/password.hpp"
#include "probes/checks/resp.hpp"
#include "probes/checks/tools.hpp"

#include <charconv>

namespace fairway::probes {

namespace {

/// Lines of "name:value".
std::string_view field(std::string_view info, std::string_view name) {
    for (std::size_t at = 0; at < info.size();) {
        const std::size_t end = std::min(info.find("\r\n", at), info.size());
        const std::string_view line = info.substr(at, end - at);
        if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':')
            return line.substr(name.size() + 1);
        at = end + 2;
    }
    return {};
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

std::optional<Duration> seconds(std::string_view text) {
    constexpr std::uint64_t century = 3'200'000'000;
    const auto n = number(text);
    return n && *n < century ? std::optional<Duration>(std::chrono::seconds(*n)) : std::nullopt;
}

/// By the code an error begins with.
Finding refused(const RespReply& error) {
    const std::string_view code = error.word();
    Reason reason = Reason::bad_response;
    Facts facts;
    if (code == "NOAUTH" || code == "WRONGPASS" || code == "NOPERM" || code == "DENIED" ||
        error.text.find("AUTH") != error.text.npos)
        reason = Reason::auth_failure;
    else if (code == "LOADING") reason = Reason::starting;
    else if (code == "MASTERDOWN") reason = Reason::lag;    // and it may not show old data
    else if (code == "MISCONF") reason = Reason::read_only; // it cannot save, so it takes no writes
    else if (code == "BUSY" || error.text.find("max number of clients") != error.text.npos)
        reason = Reason::reported_down; // a script that does not end; others are turned away, too
    else if (code == "CLUSTERDOWN") reason = Reason::no_quorum;
    if (reason == Reason::no_quorum) facts.quorum = false;
    return because(reason, error.text, std::move(facts));
}

Finding judge_standby(std::string_view info, Facts facts) {
    facts.role = Role::standby;
    facts.read_only = field(info, "slave_read_only") == "1";
    facts.position = number(field(info, "slave_repl_offset"));
    const std::string master =
        std::string(field(info, "master_host")) + ':' + std::string(field(info, "master_port"));
    if (field(info, "master_link_status") == "up") {
        facts.lag = seconds(field(info, "master_last_io_seconds_ago"));
        return pass("replica of " + master, std::move(facts));
    }
    // It has heard nothing since, and so is at least that far behind. -1: it never has.
    facts.lag = seconds(field(info, "master_link_down_since_seconds"));
    const bool copying = field(info, "master_sync_in_progress") == "1";
    return degraded(Reason::lag,
                    "replica of " + master + (copying ? ", copies its data" : ", the link is down"),
                    std::move(facts));
}

Finding judge_server(const std::vector<RespReply>& replies) {
    const std::string_view info = replies[0].text;
    Facts facts;
    if (field(info, "role") == "slave") return judge_standby(info, std::move(facts));
    if (field(info, "role") != "master") return because(Reason::bad_response, "INFO names no role");
    facts.role = Role::primary;
    facts.read_only = false;
    facts.position = number(field(info, "master_repl_offset"));
    return pass("master, " + std::string(field(info, "connected_slaves")) + " replicas", std::move(facts));
}

/// SENTINEL MASTER and SENTINEL CKQUORUM. A Sentinel that no majority would follow may be on the wrong side:
/// what it thinks of the master is no claim. Nor is it one that the master is down.
Finding judge_sentinel(const std::vector<RespReply>& replies, const Look& at) {
    const RespReply &master = replies[0], &quorum = replies[1];
    const std::string_view flags = master.value("flags"), ip = master.value("ip");
    if (ip.empty()) return because(Reason::bad_response, "no master in the answer");
    Facts facts;
    facts.epoch = number(master.value("config-epoch"));
    facts.quorum = !quorum.is_error();
    const std::string where = std::string(ip) + ':' + std::string(master.value("port"));
    if (!*facts.quorum) return degraded(Reason::no_quorum, quorum.text, std::move(facts));
    if (flags.find("o_down") != flags.npos)
        return degraded(Reason::starting, "the master, " + where + ", is down", std::move(facts));
    const auto* name = std::get_if<std::string>(&at.spec.target);
    const bool here = ip == at.address.ip.to_string() || (name && ip == *name);
    facts.role = here ? Role::primary : Role::standby;
    return pass("the master is " + where, std::move(facts));
}

Finding judge_cluster(const std::vector<RespReply>& replies) {
    const std::string_view info = replies[0].text, state = field(info, "cluster_state");
    Facts facts;
    facts.epoch = number(field(info, "cluster_current_epoch"));
    facts.quorum = state == "ok";
    if (*facts.quorum) return pass("cluster_state:ok", std::move(facts));
    if (state != "fail") return because(Reason::bad_response, "CLUSTER INFO names no state");
    return because(Reason::no_quorum,
                   "cluster_state:fail, slots that are served: " +
                       std::string(field(info, "cluster_slots_ok")),
                   std::move(facts));
}

struct Questions {
    std::string text;
    std::size_t count = 0;
    void add(std::initializer_list<std::string_view> words) {
        text += resp_command(words);
        ++count;
    }
};

/// What is asked once the server has let us in and has answered PING.
Questions questions_of(const RedisCheck& check, const std::string& password) {
    Questions q;
    if (!password.empty() && check.user.empty()) q.add({"AUTH", password});
    else if (!password.empty()) q.add({"AUTH", check.user, password});
    q.add({"PING"});
    switch (check.mode) {
    case RedisCheck::Mode::server: q.add({"INFO", "replication"}); break;
    case RedisCheck::Mode::cluster: q.add({"CLUSTER", "INFO"}); break;
    case RedisCheck::Mode::sentinel:
        q.add({"SENTINEL", "MASTER", check.group});
        q.add({"SENTINEL", "CKQUORUM", check.group});
        break;
    }
    return q;
}

Finding judge(const RedisCheck& check, std::vector<RespReply> replies, const Look& at) {
    const std::size_t answers = check.mode == RedisCheck::Mode::sentinel ? 2 : 1;
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const bool is_verdict = answers == 2 && i + 1 == replies.size(); // CKQUORUM's "no" is an answer
        if (replies[i].is_error() && !(is_verdict && replies[i].word() == "NOQUORUM"))
            return refused(replies[i]);
    }
    replies.erase(replies.begin(), replies.end() - static_cast<std::ptrdiff_t>(answers));
    switch (check.mode) {
    case RedisCheck::Mode::server: return judge_server(replies);
    case RedisCheck::Mode::cluster: return judge_cluster(replies);
    case RedisCheck::Mode::sentinel: break;
    }
    return judge_sentinel(replies, at);
}

struct Replies {
    std::vector<RespReply> all;
    Finding problem;
    bool whole = false;
};

/// As many as were asked for; fewer where one is not what a Redis says.
Task<Replies> read_replies(Stream& stream, Look at, std::size_t count) {
    Replies r;
    RespReader reader;
    bool silent = true;
    for (;;) {
        while (r.all.size() < count) {
            std::optional<RespReply> reply = reader.next();
            if (!reply) break;
            r.all.push_back(std::move(*reply));
        }
        r.whole = r.all.size() == count;
        if (r.whole) co_return r;
        if (reader.broken()) {
            r.problem = because(Reason::bad_response, "no reply of Redis");
            co_return r;
        }
        Task<Heard> reading = stream.read();
        const Heard more = co_await reading;
        if (more.reason != Reason::ok) r.problem = because(more.reason, more.detail);
        else if (more.text.empty())
            r.problem = because(Reason::closed, silent ? "ended without a word" : "ended in the middle");
        else if (!reader.feed(more.text))
            r.problem = because(Reason::oversize_body, "a reply of more than 64 KiB");
        else {
            at.silence = Reason::timeout_body;
            silent = false;
            continue;
        }
        // Many connections: the server says so and ends, maybe before it has read what we said.
        if (r.all.empty()) co_return r;
        r.whole = r.all.front().is_error();
        co_return r;
    }
}

} // namespace

Task<Finding> look(const RedisCheck& check, Look at) {
    const std::optional<std::string> password = password_in(check.password_file);
    if (!password) co_return because(Reason::internal, "cannot read " + check.password_file);
    Task<Opened> opening = open_stream(at, check.tls ? &check.tls_settings : nullptr, check.sni);
    Opened opened = co_await opening;
    if (!opened.stream) co_return std::move(opened.problem);
    Stream& stream = *opened.stream;

    const Questions questions = questions_of(check, *password);
    Task<Heard> saying = say(stream, at, questions.text);
    const Heard said = co_await saying;
    if (said.reason != Reason::ok) co_return because(said.reason, said.detail);
    Task<Replies> reading = read_replies(stream, at, questions.count);
    Replies replies = co_await reading;
    if (!replies.whole) co_return std::move(replies.problem);

    Finding found = judge(check, std::move(replies.all), at);
    found = beside_certificate(std::move(found), stream.certificate_ends(), check.tls_settings, at.loop());
    at.tools.closing.spawn(Stream::close(std::move(stream)));
    co_return found;
}

} // namespace fairway::probes
