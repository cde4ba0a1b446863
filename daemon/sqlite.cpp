#include "daemon/sqlite.hpp"

#include <sqlite3.h>

namespace fairway::daemon {

namespace {

bool is_damage(int code) {
    const int primary = code & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

/// The reading of the whole file at the start: structure and rows, not the (dearer) indices.
void check(Database& db, const std::filesystem::path& file) {
    Statement s(db, "PRAGMA quick_check(1)");
    if (s.step(); s.text(0) != "ok") throw SqliteError(file.string() + ": " + s.text(0), true);
}

}

void Database::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
void Statement::Finalize::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

void Database::open(int flags) {
    sqlite3* db = nullptr;
    const int code = sqlite3_open_v2(file_.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    db_.reset(db);
    if (code != SQLITE_OK) fail("cannot open");
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, 2000); // somebody may be reading with the sqlite3 shell
}

Database::Database(const std::filesystem::path& file, std::string_view synchronous) : file_(file) {
    open(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=" + std::string(synchronous));
    check(*this, file);
}

Database Database::read_only(const std::filesystem::path& file) {
    Database db(file);
    db.open(SQLITE_OPEN_READONLY);
    return db;
}

int Database::overdue(void* deadline) { return Clock::now() > *static_cast<Clock::time_point*>(deadline); }

void Database::give_up_after(std::chrono::milliseconds patience) {
    constexpr int instructions = 10'000; // of SQLite's machine between two looks at the clock: below 1 ms
    if (!deadline_) deadline_ = std::make_unique<Clock::time_point>();
    *deadline_ = Clock::now() + patience;
    sqlite3_progress_handler(db_.get(), instructions, &overdue, deadline_.get());
}

void Database::run(const std::string& sql) {
    if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        fail("cannot run " + sql);
}

void Database::fail(const std::string& doing) const {
    const int code = db_ ? sqlite3_extended_errcode(db_.get()) : SQLITE_NOMEM;
    const std::string why = db_ ? sqlite3_errmsg(db_.get()) : "out of memory";
    throw SqliteError(file_.string() + ": " + doing + ": " + why, is_damage(code));
}

Statement::Statement(Database& db, std::string_view sql) : db_(db) {
    sqlite3_stmt* s = nullptr;
    if (sqlite3_prepare_v2(db.db_.get(), sql.data(), static_cast<int>(sql.size()), &s, nullptr) != SQLITE_OK)
        db.fail("cannot prepare " + std::string(sql));
    statement_.reset(s);
}

Statement& Statement::bind(int index, std::string_view text) {
    sqlite3_bind_text(statement_.get(), index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
    sqlite3_bind_int64(statement_.get(), index, number);
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) db_.fail("cannot read or write");
    return code == SQLITE_ROW;
}

void Statement::run() {
    while (step()) {}
    sqlite3_reset(statement_.get());
}

std::string Statement::text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return bytes ? std::string(bytes, size) : std::string();
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

Transaction::Transaction(Database& db) : db_(db) { db_.run("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
    if (!open_) return;
    try {
        db_.run("ROLLBACK");
    } catch (const SqliteError&) {} // SQLite has already rolled back by itself
}

void Transaction::commit() {
    db_.run("COMMIT");
    open_ = false;
}

} // namespace fairway::daemon
