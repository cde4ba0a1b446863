#include "daemon/journal_reader.hpp"

#include "daemon/sqlite.hpp"

namespace fairway::daemon {

namespace {

WallTime wall(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

/// The conditions there are, each with its number as parameter: what is not asked is not compared, so that
/// the database finds its index.
std::string select(const JournalQuery& q) {
    std::string sql =
        "SELECT seq,kind,transition,at,what,service,datacenter,who,origin,record,result,answered"
        " FROM entries WHERE seq < ?1";
    if (q.since) sql += " AND at >= ?2";
    if (q.until) sql += " AND at < ?3";
    if (!q.service.empty()) sql += " AND service IN (?4, ?4 || ' A', ?4 || ' AAAA')"; // and its halves
    if (!q.datacenter.empty()) sql += " AND datacenter = ?5";
    if (q.kind) sql += " AND kind = ?6";
    if (!q.what.empty()) sql += " AND what = ?7";
    return sql + " ORDER BY seq DESC LIMIT ?8";
}

void bind(Statement& s, const JournalQuery& q) {
    s.bind(1, q.before > 0 ? q.before : INT64_MAX);
    if (q.since) s.bind(2, q.since->time_since_epoch().count());
    if (q.until) s.bind(3, q.until->time_since_epoch().count());
    if (!q.service.empty()) s.bind(4, q.service);
    if (!q.datacenter.empty()) s.bind(5, q.datacenter);
    if (q.kind) s.bind(6, static_cast<std::int64_t>(*q.kind));
    if (!q.what.empty()) s.bind(7, q.what);
    s.bind(8, q.limit);
}

JournalLine line(const Statement& s) {
    JournalLine l;
    l.number = s.number(0);
    l.entry = {.kind = static_cast<JournalEntry::Kind>(s.number(1)),
               .transition = static_cast<std::uint64_t>(s.number(2)),
               .at = wall(s.number(3)),
               .what = s.text(4),
               .service = s.text(5),
               .datacenter = s.text(6),
               .who = s.text(7),
               .from = s.text(8),
               .record = s.text(9),
               .result = s.text(10)};
    if (const auto at = s.number(11)) l.answered = wall(at); // NULL reads as 0
    return l;
}

}

namespace {
struct Returned {
    std::binary_semaphore& turn;
    ~Returned() { turn.release(); }
};
} // namespace

JournalReader::JournalReader(std::filesystem::path file) : file_(std::move(file)) {}
JournalReader::~JournalReader() = default;

std::vector<JournalLine> JournalReader::read(const JournalQuery& query) {
    if (!free_.try_acquire_for(patience)) throw std::runtime_error("others read the journal; try again");
    const Returned turn{free_};
    try {
        if (!db_) db_ = std::make_unique<Database>(Database::read_only(file_));
        db_->give_up_after(patience);
        Statement s(*db_, select(query));
        bind(s, query);
        std::vector<JournalLine> lines;
        while (s.step()) lines.push_back(line(s));
        return lines;
    } catch (const SqliteError&) {
        db_.reset();
        throw;
    }
}

} // namespace fairway::daemon
