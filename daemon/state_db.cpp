#include "daemon/state_db.hpp"

#include "daemon/serialize.hpp"

namespace fairway::daemon {

using namespace policies;

namespace {

constexpr std::string_view schema = R"(
CREATE TABLE IF NOT EXISTS services(name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members(key TEXT PRIMARY KEY, record TEXT NOT NULL, written INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS overrides(id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aliases(record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS learned(network TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
)";

/// Health is a hint after 60 s (L20); a member not written for a week is most likely no longer configured.
constexpr std::chrono::milliseconds members_kept = std::chrono::days(7);

template<class T>
std::vector<T> records(Database& db, std::string_view table, std::optional<T> (*parse)(std::string_view)) {
    std::vector<T> all;
    Statement s(db, "SELECT record FROM " + std::string(table));
    while (s.step()) {
        auto r = parse(s.text(0));
        if (!r)
            throw SqliteError("a record of " + std::string(table) + " is not readable: " + s.text(0), true);
        all.push_back(std::move(*r));
    }
    return all;
}

void put_number(Database& db, std::string_view name, std::int64_t value) {
    Statement(db, "INSERT OR REPLACE INTO numbers VALUES(?,?)").bind(1, name).bind(2, value).run();
}

std::optional<std::int64_t> number(Database& db, std::string_view name) {
    Statement s(db, "SELECT value FROM numbers WHERE name=?");
    s.bind(1, name);
    return s.step() ? std::optional(s.number(0)) : std::nullopt;
}

void put_overrides(Database& db, const std::vector<Override>& all) {
    db.run("DELETE FROM overrides");
    Statement s(db, "INSERT INTO overrides VALUES(?,?)");
    for (const auto& o : all) s.bind(1, o.id).bind(2, to_json(o)).run();
}

void put_aliases(Database& db, const std::vector<AliasRecord>& all) {
    db.run("DELETE FROM aliases");
    Statement s(db, "INSERT INTO aliases VALUES(?)");
    for (const auto& a : all) s.bind(1, to_json(a)).run();
}

void put_learned(Database& db, const std::vector<LearnedRecord>& changed) {
    Statement put(db, "INSERT OR REPLACE INTO learned VALUES(?,?)");
    Statement forget(db, "DELETE FROM learned WHERE network=?");
    for (const auto& r : changed) {
        const std::string network = r.network.to_string();
        if (r.sites.empty()) forget.bind(1, network).run();
        else put.bind(1, network).bind(2, to_json(r)).run();
    }
}

void put(Database& db, const StateWrite& w, std::int64_t now) {
    Statement service(db, "INSERT OR REPLACE INTO services VALUES(?,?)");
    for (const auto& r : w.services) service.bind(1, r.service).bind(2, to_json(r)).run();
    Statement member(db, "INSERT OR REPLACE INTO members VALUES(?,?,?)");
    for (const auto& r : w.members) member.bind(1, r.key).bind(2, to_json(r)).bind(3, now).run();
    if (w.overrides) put_overrides(db, *w.overrides);
    if (w.aliases) put_aliases(db, *w.aliases);
    put_learned(db, w.learned);
    if (w.generation) put_number(db, "generation", static_cast<std::int64_t>(*w.generation));
    if (w.alive) put_number(db, "alive", w.alive->time_since_epoch().count());
}

}

StateDb::StateDb(const std::filesystem::path& file, WallTime now) : db_(file, "FULL") {
    db_.run(std::string(schema));
    Statement(db_, "DELETE FROM members WHERE written < ?")
        .bind(1, (now - members_kept).time_since_epoch().count())
        .run();
}

Restored StateDb::read() {
    Restored r;
    r.services = records<ServiceRecord>(db_, "services", service_record);
    r.members = records<MemberRecord>(db_, "members", member_record);
    r.overrides = records<Override>(db_, "overrides", override_record);
    r.aliases = records<AliasRecord>(db_, "aliases", alias_record);
    r.learned = records<LearnedRecord>(db_, "learned", learned_record);
    r.generation = static_cast<std::uint64_t>(number(db_, "generation").value_or(0));
    if (const auto alive = number(db_, "alive")) r.alive = WallTime(std::chrono::milliseconds(*alive));
    return r;
}

void StateDb::apply(std::span<const StateWrite> writes, WallTime now) {
    Transaction t(db_);
    for (const auto& w : writes) put(db_, w, now.time_since_epoch().count());
    t.commit();
}

} // namespace fairway::daemon
