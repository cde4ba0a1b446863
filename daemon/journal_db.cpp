#include "daemon/journal_db.hpp"

namespace fairway::daemon {

namespace {

constexpr std::string_view schema = R"(
CREATE TABLE IF NOT EXISTS transitions(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, change TEXT NOT NULL,
  service TEXT NOT NULL, datacenter TEXT NOT NULL, record TEXT NOT NULL, answered INTEGER);
CREATE TABLE IF NOT EXISTS commands(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, operator TEXT NOT NULL,
  command TEXT NOT NULL, result TEXT NOT NULL);
)";

std::int64_t ms(WallTime t) { return t.time_since_epoch().count(); }

void put_transition(Database& db, const JournalEntry& e) {
    Statement(db, "INSERT OR REPLACE INTO transitions VALUES(?,?,?,?,?,?,NULL)")
        .bind(1, static_cast<std::int64_t>(e.id))
        .bind(2, ms(e.at))
        .bind(3, e.what)
        .bind(4, e.service)
        .bind(5, e.datacenter)
        .bind(6, e.record)
        .run();
}

void put_command(Database& db, const JournalEntry& e) {
    Statement(db, "INSERT INTO commands VALUES(NULL,?,?,?,?)")
        .bind(1, ms(e.at))
        .bind(2, e.what)
        .bind(3, e.record)
        .bind(4, e.result)
        .run();
}

}

JournalDb::JournalDb(const std::filesystem::path& file) : db_(file, "NORMAL") {
    db_.run(std::string(schema));
}

std::uint64_t JournalDb::last_id() {
    Statement s(db_, "SELECT coalesce(max(id), 0) FROM transitions");
    s.step();
    return static_cast<std::uint64_t>(s.number(0));
}

void JournalDb::append(std::span<const JournalEntry> entries, std::span<const JournalAnswer> answers) {
    Transaction t(db_);
    for (const auto& e : entries) e.id ? put_transition(db_, e) : put_command(db_, e);
    Statement answered(db_, "UPDATE transitions SET answered=? WHERE id=?");
    for (const auto& a : answers) answered.bind(1, ms(a.at)).bind(2, static_cast<std::int64_t>(a.id)).run();
    trim();
    t.commit();
}

void JournalDb::trim() {
    for (const char* table : {"transitions", "commands"})
        db_.run("DELETE FROM " + std::string(table) + " WHERE id <= (SELECT max(id) FROM " + table + ") - " +
                std::to_string(kept));
}

} // namespace fairway::daemon
