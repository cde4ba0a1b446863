// The log: one line a message, key=value, one id per kind of message (msg=member-down).
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
    Log();  ///< starts a thread
    ~Log(); ///< writes what is left
    void write(policies::Severity severity, std::string_view id,
               const std::vector<LogField>& fields) const; ///< any thread
    void write(const Happening& h) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// `msg=ID key=value key="two words"`: fields with an empty value are left out.
std::string logfmt(std::string_view id, const std::vector<LogField>& fields);

/// Is stderr connected to the journal (JOURNAL_STREAM, systemd.exec(5))?
bool stderr_is_journal();

} // namespace fairway::daemon
