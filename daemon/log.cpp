#include "daemon/log.hpp"

#include "daemon/json_parts.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <mutex>

namespace fairway::daemon {

using policies::Severity;

namespace {

/// Lines that may wait for a slow reader: one for each of 2,000 services. Each takes 400 octets from the
/// start.
constexpr std::size_t most_lines = 2048;

bool is_plain(std::string_view value) {
    return std::ranges::all_of(
        value, [](unsigned char c) { return c > ' ' && c != '"' && c != '=' && c != '\\' && c != 127; });
}

std::string in_quotes(std::string_view value) {
    std::string q = "\"";
    for (char c : value) {
        if (c == '"' || c == '\\') q += '\\';
        q += c == '\n' ? ' ' : (static_cast<unsigned char>(c) < ' ' ? '?' : c);
    }
    return q + '"';
}

/// sd-daemon(3): <6> informational, <4> warning, <2> critical.
std::string_view journal_prefix(Severity s) {
    static constexpr std::array<std::string_view, 3> prefixes{"<6>", "<4>", "<2>"};
    return prefixes[static_cast<std::size_t>(s)];
}

spdlog::level::level_enum level(Severity s) {
    static constexpr std::array levels{spdlog::level::info, spdlog::level::warn, spdlog::level::critical};
    return levels[static_cast<std::size_t>(s)];
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& p : parts) text += (text.empty() ? "" : "; ") + p;
    return text;
}

}

std::string logfmt(std::string_view id, const std::vector<LogField>& fields) {
    std::string line = "msg=" + std::string(id);
    for (const auto& [key, value] : fields)
        if (!value.empty())
            line += " " + std::string(key) + "=" + (is_plain(value) ? value : in_quotes(value));
    return line;
}

bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat info {};
    return stream && fstat(STDERR_FILENO, &info) == 0 &&
           std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == stream;
}

std::string log_json(std::string_view time, std::string_view level, std::string_view id,
                     const std::vector<LogField>& fields) {
    parts::Json j = {{"time", time}, {"level", level}, {"msg", id}};
    for (const auto& [key, value] : fields)
        if (!value.empty()) j[std::string(key)] = value;
    return parts::dump(j);
}

struct Log::State {
    ~State() { pool.reset(); } // its thread has ended before what it writes with goes

    using Clock = std::chrono::steady_clock;
    struct Recent {
        Clock::time_point since{};
        unsigned lines = 0, left_out = 0;
    };

    /// Whether another line of this id may be written; `left_out` could not since the last window.
    bool admit(std::string_view id, unsigned& left_out) {
        const std::lock_guard hold(mutex);
        auto found = recent.find(id);
        if (found == recent.end()) found = recent.emplace(id, Recent{}).first; // ids are few
        Recent& r = found->second;
        if (Clock::now() - r.since >= within) {
            left_out = r.left_out;
            r = {Clock::now(), 0, 0};
        }
        if (++r.lines <= most) return true;
        ++r.left_out;
        return false;
    }

    void put(Severity severity, std::string_view id, const std::vector<LogField>& fields) const {
        std::string line;
        if (journal) line = std::string(journal_prefix(severity)) + logfmt(id, fields);
        else if (json) line = log_json(time_now(), policies::to_string(severity), id, fields);
        else line = logfmt(id, fields);
        logger->log(level(severity), line);
    }

    static std::string time_now() {
        using namespace std::chrono;
        return to_string(WallTime(duration_cast<milliseconds>(system_clock::now().time_since_epoch())));
    }

    std::mutex mutex;
    std::map<std::string, Recent, std::less<>> recent; ///< under the mutex
    std::shared_ptr<spdlog::details::thread_pool> pool =
        std::make_shared<spdlog::details::thread_pool>(most_lines, 1);
    std::shared_ptr<spdlog::async_logger> logger =
        std::make_shared<spdlog::async_logger>("fairway", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                               pool, spdlog::async_overflow_policy::overrun_oldest);
    bool journal = stderr_is_journal(), json = false;
};

Log::Log(LogSettings::Format format) : state_(std::make_unique<State>()) {
    state_->json = format == LogSettings::Format::json;
    // The times of what people read are UTC and RFC 3339 everywhere.
    state_->logger->set_pattern(state_->journal || state_->json ? "%v"
                                                                : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
                                spdlog::pattern_time_type::utc);
}

Log::~Log() = default;

void Log::write(Severity severity, std::string_view id, const std::vector<LogField>& fields) const {
    unsigned left_out = 0;
    const bool admitted = state_->admit(id, left_out);
    if (left_out)
        state_->put(Severity::warning, "messages-left-out",
                    {{"of", std::string(id)}, {"messages", std::to_string(left_out)}});
    if (admitted || severity == Severity::critical) state_->put(severity, id, fields);
}

void Log::write(const Happening& h) const {
    const auto& t = h.transition;
    write(t.severity, policies::to_string(t.change),
          {{"id", std::to_string(h.id)},
           {"service", t.service},
           {"datacenter", t.datacenter},
           {"subject", t.subject},
           {"from", t.from},
           {"to", t.to},
           {"reason", t.reason},
           {"after", t.fault ? brief(t.decided - *t.fault) : ""},
           {"evidence", joined(t.evidence)},
           {"drill", t.drill ? "yes" : ""}});
}

} // namespace fairway::daemon
