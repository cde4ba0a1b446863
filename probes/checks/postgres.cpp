// postgres: who are you, and how far? One session, one round trip (L16; manual: recipes, PostgreSQL).
//
// A plain login role sees everything but the received timeline of a standby, which pg_monitor adds:
//   CREATE ROLE fairway LOGIN; GRANT pg_monitor TO fairway;
// Without it, or while nothing is received, the epoch of a standby is that of its last replayed checkpoint.
#include "probes/checks/check.hpp"
#include "probes/checks/password.hpp"
#include "probes/glue/pq.hpp"

#include <array>
#include <charconv>

namespace fairway::probes {

namespace {

// A primary's timeline is in the name of its current WAL file; the control file lags after a promotion. The
// receive position falls back behind what was replayed while the receiver starts anew, hence greatest().
constexpr const char* question =
    "SELECT r, current_setting('transaction_read_only'),"
    " (SELECT system_identifier FROM pg_control_system()),"
    " CASE WHEN NOT r THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END,"
    " CASE WHEN r THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver),"
    "   (SELECT greatest(c.timeline_id, m.min_recovery_end_timeline)"
    "    FROM pg_control_checkpoint() c, pg_control_recovery() m)) END,"
    " pg_wal_lsn_diff(CASE WHEN r THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
    "   ELSE pg_current_wal_lsn() END, '0/0')"
    " FROM pg_is_in_recovery() r";
enum Column : std::size_t {
    in_recovery,
    read_only,
    system_id,
    timeline_hex,
    timeline_received,
    position,
    columns
};

using Row = std::vector<std::optional<std::string>>;

std::optional<std::uint64_t> number(const std::optional<std::string>& text, int base = 10) {
    std::uint64_t n = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), n, base).ec != std::errc())
        return std::nullopt;
    return n;
}

Facts facts_of(const Row& row) {
    Facts f;
    f.role = row[in_recovery] == "t" ? Role::standby : Role::primary;
    f.read_only = row[read_only] == "on";
    f.system = row[system_id].value_or("");
    f.epoch = f.role == Role::primary ? number(row[timeline_hex], 16) : number(row[timeline_received]);
    f.position = number(row[position]);
    return f;
}

std::string sslmode(PostgresCheck::Tls tls) {
    static constexpr std::array<const char*, 5> words{"disable", "prefer", "require", "verify-ca",
                                                      "verify-full"};
    return words[static_cast<std::size_t>(tls)];
}

std::string name_of(const ProbeSpec& spec) {
    const std::string* name = std::get_if<std::string>(&spec.target);
    return name ? *name : spec.sni;
}

/// Nullopt: the password cannot be read.
std::optional<PgQuestion> question_of(const PostgresCheck& check, const Look& at) {
    std::optional<std::string> password = password_in(check.password_file);
    if (!password) return std::nullopt;
    PgQuestion q;
    q.address = at.address;
    q.host = name_of(at.spec);
    q.user = check.user;
    q.dbname = check.dbname;
    q.password = std::move(*password);
    q.sslmode = sslmode(check.tls);
    q.ca_file = check.ca_file;
    q.sql = question;
    return q;
}

} // namespace

Task<Finding> look(const PostgresCheck& check, Look at) {
    std::optional<PgQuestion> q = question_of(check, at);
    if (!q) co_return because(Reason::internal, "cannot read " + check.password_file);
    Task<PgAnswer> asking = ask(at.loop(), std::move(*q), at.silence);
    const PgAnswer answer = co_await asking;

    if (answer.reason != Reason::ok) co_return because(answer.reason, answer.detail);
    if (answer.row.size() != columns) co_return because(Reason::bad_response, "an answer of another shape");
    Facts facts = facts_of(answer.row);
    const char* role = facts.role == Role::primary ? "primary" : "standby";
    co_return pass(role, std::move(facts));
}

Task<void> hold(const PostgresCheck& check, Look at) {
    std::optional<PgQuestion> q = question_of(check, at);
    if (!q) co_return;
    Task<void> holding = hold_session(at.loop(), std::move(*q), at.spec.check->timing.timeout);
    co_await holding;
}

} // namespace fairway::probes
