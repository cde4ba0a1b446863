#include "probes/glue/pq.hpp"

#include "probes/async/race.hpp"
#include "probes/async/wait.hpp"
#include "probes/glue/socket.hpp"
#include "probes/glue/stream.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace fairway::probes {

namespace {

using Session = std::unique_ptr<PGconn, decltype([](PGconn* c) { PQfinish(c); })>;
using Result = std::unique_ptr<PGresult, decltype([](PGresult* r) { PQclear(r); })>;

/// Where ca-certificates puts the system's; libpq 15 knows no system store.
constexpr const char* system_ca = "/etc/ssl/certs/ca-certificates.crt";

/// A file that cannot be there: nothing is taken from the home directory of whoever runs us.
constexpr const char* no_file = "/dev/null/none";

/// The SQLSTATE in a verbose message, "FATAL:  57P03: the database system is starting up"; the words around
/// it are in the server's language.
std::string sqlstate_in(std::string_view message) {
    const auto of_state = [](unsigned char c) { return std::isdigit(c) || std::isupper(c); };
    for (std::size_t at = message.rfind(":  "); at != message.npos && at > 0;
         at = message.rfind(":  ", at - 1)) {
        const std::string_view word = message.substr(at + 3, 6);
        if (word.size() == 6 && word[5] == ':' && std::all_of(word.begin(), word.end() - 1, of_state))
            return std::string(word.substr(0, 5));
    }
    return {};
}

/// What matters of a message: libpq puts where it connected to in front, advice and the server's source line
/// behind, and reports both tries where a refused one was repeated without TLS.
std::string gist(std::string_view message) {
    for (const std::string_view mark : {" failed: ", "FATAL:  ", "ERROR:  "}) {
        const std::size_t at = message.rfind(mark);
        if (at != message.npos) message.remove_prefix(at + mark.size());
    }
    return std::string(message.substr(0, message.find('\n')));
}

Reason reason_of_sqlstate(std::string_view state) {
    if (state == "57P03") return Reason::starting;       // cannot_connect_now: starting, stopping, recovering
    if (state.starts_with("57P")) return Reason::closed; // admin_shutdown, crash_shutdown
    if (state.starts_with("28")) return Reason::auth_failure; // invalid authorization
    if (state == "42501" || state == "3D000")
        return Reason::auth_failure; // privilege; no such database for this user
    return Reason::bad_response;
}

Reason reason_of_tls(std::string_view m) {
    const auto says = [m](std::string_view text) { return m.find(text) != m.npos; };
    if (says("does not match host name")) return Reason::wrong_name;
    if (says("certificate verify failed"))
        return last_certificate_expired() ? Reason::expired_certificate : Reason::bad_certificate;
    if (says("root certificate file")) return Reason::internal; // ours cannot be read
    return Reason::tls_failure;
}

/// libpq hands on neither errno nor a code of a session that did not come about, only text in the C locale.
Reason reason_of_text(std::string_view m, const SocketAddress& to) {
    const auto says = [m](std::string_view text) { return m.find(text) != m.npos; };
    for (const int e : {ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EMFILE, ENFILE,
                        ENOBUFS, ENOMEM, EADDRNOTAVAIL, EACCES, EPERM}) {
        if (says(std::strerror(e))) return reason_of_errno(e, to);
    }
    if (says("SSL") || says("certificate")) return reason_of_tls(m);
    if (says("password")) return Reason::auth_failure; // none was given, and one was asked for
    if (says("server closed the connection")) return Reason::closed;
    if (says("out of memory")) return Reason::local_limit;
    return Reason::bad_response;
}

PgAnswer failed(PGconn* c, const SocketAddress& to, bool reset) {
    PgAnswer a;
    const std::string_view message = PQerrorMessage(c);
    const std::string state = sqlstate_in(message);
    a.reason = state.empty() ? reason_of_text(message, to) : reason_of_sqlstate(state);
    if (reset && a.reason == Reason::closed && state.empty()) a.reason = Reason::reset;
    a.detail = gist(message);
    return a;
}

Session start(const PgQuestion& q) {
    const std::string hostaddr = q.address.ip.to_string(), port = std::to_string(q.address.port);
    const std::string idle = std::to_string(keep_alive_after);
    const std::string host = q.host.empty() ? hostaddr : q.host;
    const std::string ca = q.ca_file.empty() ? system_ca : q.ca_file;
    const bool verify = q.sslmode.starts_with("verify");
    const std::array<std::pair<const char*, const char*>, 13> parameters{{
        {"hostaddr", hostaddr.c_str()},
        {"host", host.c_str()},
        {"port", port.c_str()},
        {"user", q.user.c_str()},
        {"dbname", q.dbname.c_str()},
        {"password", q.password.c_str()},
        {"passfile", no_file},
        {"sslmode", q.sslmode.c_str()},
        {"sslrootcert", verify || !q.ca_file.empty() ? ca.c_str() : no_file},
        {"gssencmode", "disable"}, // it would cost a round trip and could block
        {"application_name", "fairway"},
        {"client_encoding", "UTF8"},
        {"keepalives_idle", idle.c_str()},
    }};
    std::array<const char*, parameters.size() + 1> keys{}, values{};
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        keys[i] = parameters[i].first;
        values[i] = parameters[i].second;
    }
    Session s(PQconnectStartParams(keys.data(), values.data(), 0));
    if (!s) return s;
    PQsetErrorVerbosity(s.get(), PQERRORS_VERBOSE);    // for the SQLSTATE
    const auto ignore = [](void*, const PGresult*) {}; // the default prints them
    PQsetNoticeReceiver(s.get(), ignore, nullptr);
    return s;
}

Reason silence_of(PGconn* c) {
    switch (PQstatus(c)) {
    case CONNECTION_STARTED: return Reason::timeout_connect;
    case CONNECTION_SSL_STARTUP: return PQsslInUse(c) ? Reason::timeout_tls : Reason::timeout_first_byte;
    default: return Reason::timeout_first_byte;
    }
}

/// Yields true once the session stands. The socket may be another one at each step.
Task<bool> establish(Loop& loop, PGconn* c, Reason& silence, bool& reset) {
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;
    while (PQstatus(c) != CONNECTION_BAD && step != PGRES_POLLING_OK && step != PGRES_POLLING_FAILED) {
        silence = silence_of(c);
        const bool reading = step == PGRES_POLLING_READING;
        co_await Ready(loop, PQsocket(c), reading ? Loop::readable : Loop::writable);
        reset = reading && was_reset(PQsocket(c));
        step = PQconnectPoll(c);
    }
    co_return step == PGRES_POLLING_OK;
}

/// Sends the query and waits for the last of its results; yields that, or null if the session broke.
Task<Result> query(Loop& loop, PGconn* c, const std::string& sql, bool& reset) {
    Result last;
    PQsetnonblocking(c, 1);
    if (!PQsendQuery(c, sql.c_str())) co_return last;
    while (PQflush(c) > 0) {
        co_await Ready(loop, PQsocket(c), Loop::readable | Loop::writable);
        if (!PQconsumeInput(c)) co_return last;
    }
    for (;;) {
        while (PQisBusy(c)) {
            co_await Ready(loop, PQsocket(c), Loop::readable);
            reset = was_reset(PQsocket(c));
            if (!PQconsumeInput(c)) co_return last;
        }
        Result next(PQgetResult(c));
        if (!next) co_return last;
        last = std::move(next);
    }
}

PgAnswer read(PGconn* c, const PGresult* r, const SocketAddress& to, bool reset) {
    PgAnswer a;
    if (!r) return failed(c, to, reset);
    if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1) {
        for (int i = 0; i < PQnfields(r); ++i)
            a.row.push_back(PQgetisnull(r, 0, i) ? std::nullopt
                                                 : std::optional<std::string>(PQgetvalue(r, 0, i)));
        return a;
    }
    const char* state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    a.reason = state ? reason_of_sqlstate(state) : reason_of_text(PQresultErrorMessage(r), to);
    if (reset && a.reason == Reason::closed && !state) a.reason = Reason::reset;
    a.detail = gist(PQresultErrorMessage(r));
    return a;
}

} // namespace

Task<PgAnswer> ask(Loop& loop, PgQuestion question, Reason& silence) {
    silence = Reason::timeout_connect;
    const Session session = start(question);
    PgAnswer none;
    none.reason = Reason::local_limit;
    none.detail = "out of memory";
    if (!session) co_return none;

    remember_tls_verdicts(); // libpq says no more than "certificate verify failed"
    bool reset = false;
    Task<bool> establishing = establish(loop, session.get(), silence, reset);
    const bool established = co_await establishing;
    if (!established) co_return failed(session.get(), question.address, reset);

    silence = Reason::timeout_first_byte;
    Task<Result> asking = query(loop, session.get(), question.sql, reset);
    const Result result = co_await asking;
    co_return read(session.get(), result.get(), question.address, reset);
}

Task<void> hold_session(Loop& loop, PgQuestion question, Duration limit) {
    const Session session = start(question);
    if (!session) co_return;
    Reason silence{};
    bool reset = false;
    Task<bool> establishing = establish(loop, session.get(), silence, reset);
    Task<std::optional<bool>> limited = with_timeout(loop, limit, std::move(establishing));
    const std::optional<bool> established = co_await limited;
    if (!established.value_or(false)) co_return;

    do {
        PQisBusy(session.get()); // takes in what was read: changed settings, notices, the reason of the end
        co_await Ready(loop, PQsocket(session.get()), Loop::readable);
    } while (PQconsumeInput(session.get()));
}

} // namespace fairway::probes
