// The log: one line a message, key=value or JSON, one id per kind of message (msg=member-down); the manual of
// fairwayd(8) has a word on each.
//
// To stderr; under the journal with its level prefix and without a time. Written by a thread of its own: when
// nobody reads stderr the oldest lines are dropped, and whoever logs never waits. Never give it a secret.
#pragma once

#include "daemon/controller.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::daemon {

struct LogField {
    std::string_view key;
    std::string value;
};

class Log {
  public:
    /// Of one id; what is beyond is counted and told with the next that is written. Critical ones always are.
    static constexpr unsigned most = 500;
    static constexpr auto within = 10s;

    explicit Log(LogSettings::Format format = LogSettings::Format::logfmt); ///< starts a thread
    ~Log();                                                                 ///< writes what is left
    void write(policies::Severity severity, std::string_view id,
               const std::vector<LogField>& fields) const; ///< any thread
    void write(const Happening& h) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// `msg=ID key=value key="two words"`: fields with an empty value are left out.
std::string logfmt(std::string_view id, const std::vector<LogField>& fields);

/// The same as a JSON object, with the time and the level.
std::string log_json(std::string_view time, std::string_view level, std::string_view id,
                     const std::vector<LogField>& fields);

/// Is stderr connected to the journal (JOURNAL_STREAM, systemd.exec(5))?
bool stderr_is_journal();

} // namespace fairway::daemon
