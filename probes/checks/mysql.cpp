// mysql: who are you, how far, and does the cluster still stand? One session of two to four questions
// (manual: packaging/recipes/mysql.yaml, with the grants).
//
// All is asked by SHOW where there is one: a Galera node that is cut off still answers those. No system
// identifier is told: that of a cluster or a group ends where a replica of it, in another site, begins.
#include "probes/checks/api.hpp"
#include "probes/checks/check.hpp"
#include "probes/checks/mysql_session.hpp"
#include "probes/checks/password.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

namespace fairway::probes {

namespace {

constexpr const char* variables_question =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'version', 'wsrep_on',"
    " 'group_replication_group_name', 'server_uuid', 'server_id', 'gtid_binlog_pos')";
constexpr const char* galera_question =
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_status', 'wsrep_ready', 'wsrep_local_state',"
    " 'wsrep_local_state_comment')";
constexpr const char* group_question =
    "SELECT MEMBER_ID, MEMBER_STATE, MEMBER_ROLE FROM performance_schema.replication_group_members";

// Of SHOW ... STATUS: MariaDB shows all connections only by this, MySQL since 8.0.22 only knows replicas.
constexpr const char* mariadb_replicas = "SHOW ALL SLAVES STATUS";
constexpr const char* mysql_replicas = "SHOW REPLICA STATUS";
constexpr const char* old_mysql_replicas = "SHOW SLAVE STATUS";
constexpr unsigned er_parse = 1064;

/// wsrep_local_state: a node that is not synced serves, but what it shows is old (2 donor, 3 joined), or does
/// not serve yet (1 joining).
constexpr std::string_view synced = "4";

using Settings = std::map<std::string, std::string, std::less<>>;

Settings settings_in(const MysqlAnswer& a) {
    Settings s;
    for (const auto& row : a.rows)
        if (row.size() == 2 && row[0]) s[*row[0]] = row[1].value_or("");
    return s;
}

std::string_view value(const Settings& s, std::string_view name) {
    const auto found = s.find(name);
    return found == s.end() ? std::string_view() : found->second;
}

/// A row by the names of its columns.
class Row {
  public:
    Row(const MysqlAnswer& a, std::size_t i) : columns_(a.columns), row_(a.rows[i]) {}
    /// Of the first of these columns that there is.
    std::optional<std::string> of(std::initializer_list<std::string_view> names) const {
        for (const std::string_view name : names)
            for (std::size_t i = 0; i < columns_.size(); ++i)
                if (columns_[i] == name) return row_[i];
        return std::nullopt;
    }
    std::string text(std::initializer_list<std::string_view> names) const { return of(names).value_or(""); }

  private:
    const std::vector<std::string>& columns_;
    const std::vector<std::optional<std::string>>& row_;
};

Finding of_answer(const MysqlAnswer& a) {
    Facts facts;
    if (a.reason == Reason::no_quorum) facts.quorum = false;
    return because(a.reason, a.detail, std::move(facts));
}

/// What is known by and by; `over` once nothing more is to be asked.
struct Said {
    Facts facts;
    Finding over;
    bool is_over = false;
    std::string weakness; ///< it serves, but: for people
    void end(Finding f) {
        over = std::move(f);
        is_over = true;
    }
};

void hear_galera(const Settings& s, Said& said) {
    const std::string comment(value(s, "wsrep_local_state_comment"));
    said.facts.quorum = value(s, "wsrep_cluster_status") == "Primary";
    if (!*said.facts.quorum)
        return said.end(because(Reason::no_quorum,
                                "Galera: the component is " + std::string(value(s, "wsrep_cluster_status")),
                                said.facts));
    if (value(s, "wsrep_ready") != "ON")
        return said.end(because(Reason::starting, "Galera: not ready, " + comment, said.facts));
    if (value(s, "wsrep_local_state") != synced) said.weakness = "Galera: " + comment;
}

/// Group Replication, untested: Debian carries no MySQL 8. A member of the smaller part sees the others as
/// UNREACHABLE.
void hear_group(const MysqlAnswer& members, const Settings& s, Said& said) {
    std::size_t reachable = 0;
    std::string state, role;
    for (std::size_t i = 0; i < members.rows.size(); ++i) {
        const Row row(members, i);
        reachable += row.text({"MEMBER_STATE"}) != "UNREACHABLE";
        if (row.text({"MEMBER_ID"}) != value(s, "server_uuid")) continue;
        state = row.text({"MEMBER_STATE"});
        role = row.text({"MEMBER_ROLE"});
    }
    if (state.empty() || state == "OFFLINE") return; // configured, and not started
    said.facts.quorum = 2 * reachable > members.rows.size() && state != "ERROR";
    if (!*said.facts.quorum)
        return said.end(because(Reason::no_quorum,
                                "Group Replication: " + state + ", " + std::to_string(reachable) + " of " +
                                    std::to_string(members.rows.size()) + " reachable",
                                said.facts));
    if (state != "ONLINE")
        return said.end(because(Reason::starting, "Group Replication: " + state, said.facts));
    said.facts.role = role == "PRIMARY" ? Role::primary : Role::standby;
}

/// How many transactions of its own a MariaDB has logged: of "0-1-1270,2-2-31" those whose second number is
/// its own.
std::optional<std::uint64_t> own_writes(const Settings& s) {
    std::optional<std::uint64_t> sum;
    std::string_view rest = value(s, "gtid_binlog_pos");
    const std::string_view own = value(s, "server_id");
    while (!rest.empty()) {
        const std::string_view one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        const auto first = one.find('-'), last = one.rfind('-');
        if (first == last || one.substr(first + 1, last - first - 1) != own) continue;
        std::uint64_t n = 0;
        const std::string_view number = one.substr(last + 1);
        if (std::from_chars(number.data(), number.data() + number.size(), n).ec == std::errc())
            sum = sum.value_or(0) + n;
    }
    return sum;
}

/// Whom a server follows, on every connection it has. A thread that stands makes its lag unknown. One that
/// takes writes itself is a primary, also if it follows another: of that the link is told, and its age.
void hear_replication(const MysqlAnswer& a, Said& said) {
    const bool writable = said.facts.read_only == false;
    if (writable) said.facts.role = Role::primary;
    else if (!a.rows.empty()) said.facts.role = Role::standby;
    if (a.rows.empty()) return;

    std::uint64_t worst = 0;
    for (std::size_t i = 0; i < a.rows.size(); ++i) {
        const Row row(a, i);
        const auto behind = row.of({"Seconds_Behind_Master", "Seconds_Behind_Source"});
        std::uint64_t seconds = 0;
        if (behind &&
            std::from_chars(behind->data(), behind->data() + behind->size(), seconds).ec == std::errc()) {
            worst = std::max(worst, seconds);
            continue;
        }
        std::string why = row.text({"Last_SQL_Error"});
        if (why.empty()) why = row.text({"Last_IO_Error"});
        said.weakness = "replication from " + row.text({"Master_Host", "Source_Host"}) + " stands" +
                        (why.empty() ? "" : ": " + why);
    }
    const bool runs = said.weakness.empty();
    if (!writable && runs) said.facts.lag = std::chrono::seconds(worst);
    if (!writable) return;
    said.facts.replicates = runs;
    if (runs) said.facts.behind = std::chrono::seconds(worst);
    said.weakness.clear(); // it serves whole
}

Finding judge(Said said) {
    if (said.is_over) return std::move(said.over);
    if (!said.weakness.empty()) return degraded(Reason::lag, said.weakness, std::move(said.facts));
    const char* what = !said.facts.role                   ? "read-only, follows nobody"
                       : said.facts.role == Role::primary ? "primary"
                                                          : "standby";
    return pass(what, std::move(said.facts));
}

} // namespace

namespace {

/// The whole conversation; a session that it ends without is not gone on with.
Task<Finding> converse(MysqlSession& session) {
    Task<MysqlAnswer> about = session.ask(variables_question);
    const MysqlAnswer variables = co_await about;
    if (variables.reason != Reason::ok) co_return of_answer(variables);
    const Settings s = settings_in(variables);
    if (value(s, "read_only").empty()) co_return because(Reason::bad_response, "no variable read_only");
    Said said;
    said.facts.read_only = value(s, "read_only") != "OFF";

    const bool galera = value(s, "wsrep_on") == "ON";
    if (galera || !value(s, "group_replication_group_name").empty()) {
        Task<MysqlAnswer> asking = session.ask(galera ? galera_question : group_question);
        const MysqlAnswer cluster = co_await asking;
        if (cluster.reason != Reason::ok) co_return of_answer(cluster);
        if (galera) hear_galera(settings_in(cluster), said);
        else hear_group(cluster, s, said);
    }
    if (said.is_over || said.facts.role) co_return judge(std::move(said));

    const bool mariadb = value(s, "version").find("MariaDB") != std::string_view::npos;
    Task<MysqlAnswer> asking = session.ask(mariadb ? mariadb_replicas : mysql_replicas);
    MysqlAnswer replicas = co_await asking;
    if (replicas.code == er_parse) {
        Task<MysqlAnswer> again = session.ask(old_mysql_replicas);
        replicas = co_await again;
    }
    if (replicas.reason != Reason::ok) co_return of_answer(replicas);
    hear_replication(replicas, said);
    if (said.facts.replicates) said.facts.position = own_writes(s);
    co_return judge(std::move(said));
}

} // namespace

Task<Finding> look(const MysqlCheck& check, Look at) {
    std::optional<std::string> password = password_in(check.password_file);
    if (!password) co_return because(Reason::internal, "cannot read " + check.password_file);
    MysqlSession session(check, std::move(*password), at);
    Task<MysqlAnswer> opening = session.open();
    const MysqlAnswer opened = co_await opening;
    if (opened.reason != Reason::ok) co_return of_answer(opened);
    Task<Finding> talking = converse(session);
    Finding found = co_await talking;
    if (found.outcome != Outcome::fail) session.leave();
    co_return found;
}

} // namespace fairway::probes
