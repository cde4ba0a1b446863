// SQLite in two values: a database and a statement. Errors are exceptions with the file's name; the header of
// the library is included by the one source behind this. Belongs to one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace fairway::daemon {

struct SqliteError : std::runtime_error {
    SqliteError(const std::string& what, bool damaged_file) : runtime_error(what), damaged(damaged_file) {}
    bool damaged; ///< the file is not a database, or not a whole one
};

class Database {
  public:
    /// Opens or makes it, in WAL mode, durable to `synchronous` ("FULL": every commit; "NORMAL": every
    /// checkpoint), and reads it through once: a damaged one is found now, not in the middle of a failover.
    Database(const std::filesystem::path& file, std::string_view synchronous);
    /// Another connection to one that is open: writes nothing and reads nothing through.
    static Database read_only(const std::filesystem::path& file);
    void run(const std::string& sql);

    /// What is asked from now on fails once so long has passed from now.
    void give_up_after(std::chrono::milliseconds patience);

  private:
    friend class Statement;
    using Clock = std::chrono::steady_clock;
    struct Close {
        void operator()(sqlite3* db) const;
    };
    explicit Database(std::filesystem::path file) : file_(std::move(file)) {}
    void open(int flags);
    static int overdue(void* deadline);
    std::filesystem::path file_;
    std::unique_ptr<Clock::time_point> deadline_; ///< SQLite knows its address
    std::unique_ptr<sqlite3, Close> db_;
    [[noreturn]] void fail(const std::string& doing) const;
};

class Statement {
  public:
    Statement(Database& db, std::string_view sql);
    Statement& bind(int index, std::string_view text); ///< from 1; copied
    Statement& bind(int index, std::int64_t number);
    bool step();                        ///< true: there is a row
    void run();                         ///< steps to the end and makes ready for the next
    std::string text(int column) const; ///< from 0
    std::int64_t number(int column) const;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* s) const;
    };
    Database& db_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Commits when told to; else everything since its begin is undone.
class Transaction {
  public:
    explicit Transaction(Database& db);
    ~Transaction();
    void commit();

  private:
    Database& db_;
    bool open_ = true;
};

} // namespace fairway::daemon
