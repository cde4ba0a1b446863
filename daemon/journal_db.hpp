// journal.db: every transition, command, hook and reload with its evidence, in order, for people to query.
//
// Losing the last moments of it in a power cut is bearable (synchronous NORMAL). Blocking: belongs to the
// storage thread, and to the start before it. Others read it through journal_reader.
#pragma once

#include "daemon/journal_entry.hpp"
#include "daemon/sqlite.hpp"

#include <span>

namespace fairway::daemon {

/// What is kept of it; the oldest goes first.
struct JournalBounds {
    Duration age = 90 * 24h;
    std::int64_t bytes = 256 << 20;
};

class JournalDb {
  public:
    JournalDb(const std::filesystem::path& file, JournalBounds bounds);
    std::uint64_t last_id(); ///< of the newest transition; 0 if none
    void append(std::span<const JournalEntry> entries, std::span<const JournalAnswer> answers, WallTime now);

  private:
    void trim(std::size_t added, WallTime now);
    std::int64_t pragma(const char* name);
    Database db_;
    JournalBounds bounds_;
};

} // namespace fairway::daemon
