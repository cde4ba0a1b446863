#include "daemon/journal_db.hpp"

#include <algorithm>
#include <array>

namespace fairway::daemon {

namespace {

/// `seq` orders everything; the clock may step. The newest transition is never trimmed: the next is numbered
/// on from it.
constexpr std::string_view schema = R"(
CREATE TABLE IF NOT EXISTS entries(seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,
  transition INTEGER, at INTEGER NOT NULL, what TEXT NOT NULL, service TEXT NOT NULL, datacenter TEXT NOT NULL,
  who TEXT NOT NULL, origin TEXT NOT NULL, record TEXT NOT NULL, result TEXT NOT NULL, answered INTEGER);
CREATE UNIQUE INDEX IF NOT EXISTS by_transition ON entries(transition) WHERE transition IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_time ON entries(at);
CREATE INDEX IF NOT EXISTS by_service ON entries(service);
)";

/// How many more go than came: what is far above its bounds shrinks, and a write of state waits for a moment.
constexpr std::size_t trimmed_besides = 100;

constexpr std::array<std::string_view, 4> kinds{"transition", "command", "hook", "reload"};

std::int64_t ms(WallTime t) { return t.time_since_epoch().count(); }

}

std::string_view word(JournalEntry::Kind kind) { return kinds.at(static_cast<std::size_t>(kind)); }

std::optional<JournalEntry::Kind> journal_kind(std::string_view word) {
    const auto found = std::ranges::find(kinds, word);
    if (found == kinds.end()) return std::nullopt;
    return static_cast<JournalEntry::Kind>(found - kinds.begin());
}

JournalDb::JournalDb(const std::filesystem::path& file, JournalBounds bounds)
    : db_(file, "NORMAL"), bounds_(bounds) {
    db_.run(std::string(schema));
}

std::uint64_t JournalDb::last_id() {
    Statement s(db_, "SELECT coalesce(max(transition), 0) FROM entries WHERE transition IS NOT NULL");
    s.step();
    return static_cast<std::uint64_t>(s.number(0));
}

void JournalDb::append(std::span<const JournalEntry> entries, std::span<const JournalAnswer> answers,
                       WallTime now) {
    Transaction t(db_);
    Statement put(db_, "INSERT OR REPLACE INTO entries VALUES(NULL,?,nullif(?,0),?,?,?,?,?,?,?,?,NULL)");
    for (const auto& e : entries)
        put.bind(1, static_cast<std::int64_t>(e.kind))
            .bind(2, static_cast<std::int64_t>(e.transition))
            .bind(3, ms(e.at))
            .bind(4, e.what)
            .bind(5, e.service)
            .bind(6, e.datacenter)
            .bind(7, e.who)
            .bind(8, e.from)
            .bind(9, e.record)
            .bind(10, e.result)
            .run();
    Statement answered(db_, "UPDATE entries SET answered=? WHERE transition=?");
    for (const auto& a : answers)
        answered.bind(1, ms(a.at)).bind(2, static_cast<std::int64_t>(a.transition)).run();
    trim(entries.size(), now);
    t.commit();
}

/// Freed pages are used again: the file stops growing.
void JournalDb::trim(std::size_t added, WallTime now) {
    constexpr std::string_view oldest =
        " AND seq <> coalesce((SELECT seq FROM entries WHERE transition IS NOT NULL"
        " ORDER BY transition DESC LIMIT 1), 0)"
        " ORDER BY seq LIMIT ?2)";
    const auto most = static_cast<std::int64_t>(added + trimmed_besides);
    const auto remove = [&](const std::string& which, std::int64_t bound) {
        Statement(db_, "DELETE FROM entries WHERE seq IN (SELECT seq FROM entries WHERE " + which +
                           std::string(oldest))
            .bind(1, bound)
            .bind(2, most)
            .run();
    };
    remove("at < ?1", ms(now - std::chrono::duration_cast<WallTime::duration>(bounds_.age)));
    const auto used = (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
    if (used > bounds_.bytes) remove("seq > ?1", 0);
}

std::int64_t JournalDb::pragma(const char* name) {
    Statement s(db_, std::string("PRAGMA ") + name);
    s.step();
    return s.number(0);
}

} // namespace fairway::daemon
