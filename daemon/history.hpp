// What happened, asked over HTTP: GET /v1/history, newest first, in pages.
//
//     since=2h  since=2026-11-20T07:00:00Z  until=...  service=NAME  datacenter=NAME
//     kind=transition | command | hook | reload, or one message: member-down, drain, promote
//     limit=1..1000 (100)  before=NUMBER, which the page before names as `next`
//
// Answered in the HTTP servers' threads; neither the control thread nor storage is asked.
#pragma once

#include "daemon/http_server.hpp"
#include "daemon/journal_reader.hpp"

#include <functional>

namespace fairway::daemon {

class History {
  public:
    static constexpr std::int64_t most = 1000; ///< entries a page: about a megabyte

    using Clock = std::function<WallTime()>; ///< any thread

    History(std::filesystem::path journal, Clock clock)
        : reader_(std::move(journal)), clock_(std::move(clock)) {}

    /// 400: not understood. 503: the journal cannot be read now.
    HttpResponse answer(const HttpRequest& request);

    /// The newest entries, for pages. Throws std::runtime_error.
    std::vector<JournalLine> read(const JournalQuery& query) { return reader_.read(query); }

  private:
    JournalReader reader_;
    Clock clock_;
};

std::string to_json(const JournalLine& line);

/// "2026-11-20T07:00:13.042Z", shorter ("2026-11-20", "2026-11-20 07:00"), or so long ago: "2h". Times are
/// UTC.
std::optional<WallTime> parse_moment(std::string_view text, WallTime now);

} // namespace fairway::daemon
