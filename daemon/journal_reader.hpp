// Reads the journal while storage writes it: over a connection of its own that can write nothing.
//
// In WAL mode a reader stops no writer, so a query waits for nobody and keeps nobody waiting but the next
// query. Any thread may ask; one query at a time, each with a deadline, so that a filter that finds nothing
// in a large journal holds neither a thread nor the log of the database for long.
#pragma once

#include "daemon/journal_entry.hpp"

#include <filesystem>
#include <memory>
#include <semaphore>
#include <vector>

namespace fairway::daemon {

class Database;

struct JournalQuery {
    std::optional<WallTime> since, until;
    std::string service, datacenter;        ///< empty: every one
    std::optional<JournalEntry::Kind> kind; ///< unset: every one
    std::string what;                       ///< a change, a command, a step; empty: every one
    std::int64_t before = 0;                ///< only older than the entry of this number; 0: from the newest
    std::int64_t limit = 100;
};

struct JournalLine {
    std::int64_t number = 0; ///< orders all kinds
    JournalEntry entry;
    std::optional<WallTime> answered; ///< of transitions that changed an answer: when it was out
};

class JournalReader {
  public:
    /// Long enough to look through a quarter of a million entries on a cold disk.
    static constexpr std::chrono::milliseconds patience{3000};

    explicit JournalReader(std::filesystem::path file);
    ~JournalReader();

    /// Newest first. Throws std::runtime_error: the database cannot be read, or it takes too long.
    std::vector<JournalLine> read(const JournalQuery& query);

  private:
    std::filesystem::path file_;
    std::binary_semaphore free_{1}; ///< one query at a time
    std::unique_ptr<Database> db_;  ///< whose turn it is; opened by the first query, closed by a failing one
};

} // namespace fairway::daemon
