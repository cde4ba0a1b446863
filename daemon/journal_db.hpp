// journal.db: every transition with its evidence and every command with its result, in order, for people to
// query.
//
// Losing the last moments of it in a power cut is bearable (synchronous NORMAL). Blocking: belongs to the
// storage thread, and to the start before it.
#pragma once

#include "config/time.hpp"
#include "daemon/sqlite.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fairway::daemon {

/// One line of the journal. `id` 0: a command; else a transition's number.
struct JournalEntry {
    std::uint64_t id = 0;
    WallTime at{};
    std::string what; ///< the change, or the operator's name
    std::string service, datacenter;
    std::string record; ///< JSON
    std::string result; ///< JSON, of commands
};

/// An earlier transition's answer is out.
struct JournalAnswer {
    std::uint64_t id = 0;
    WallTime at{};
};

class JournalDb {
  public:
    /// What is kept: at a hundred transitions a day, years; in a bad week, that week. About 1 KB each.
    static constexpr std::int64_t kept = 100'000;

    explicit JournalDb(const std::filesystem::path& file);
    std::uint64_t last_id(); ///< of the newest transition; 0 if none
    void append(std::span<const JournalEntry> entries, std::span<const JournalAnswer> answers);

  private:
    void trim();
    Database db_;
};

} // namespace fairway::daemon
