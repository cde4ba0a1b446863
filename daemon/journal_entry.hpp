// One line of the journal: something happened, or somebody did something, with all that is known of it.
#pragma once

#include "config/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairway::daemon {

struct JournalEntry {
    enum class Kind : std::uint8_t { transition, command, hook, reload };
    Kind kind = Kind::transition;
    std::uint64_t transition = 0; ///< its number; 0 for all other kinds
    WallTime at{};
    std::string what; ///< the change ("member-down"), the command ("drain"), the hook's step, "reload"
    std::string service, datacenter;
    std::string who, from; ///< of commands and reloads: the operator, and "control socket" or an address
    std::string record;    ///< a JSON object: its evidence
    std::string result;    ///< a JSON object: what came of a command, a hook, a reload; empty for transitions
};

std::string_view word(JournalEntry::Kind kind);
std::optional<JournalEntry::Kind> journal_kind(std::string_view word);

/// An earlier transition's answer is out.
struct JournalAnswer {
    std::uint64_t transition = 0;
    WallTime at{};
};

} // namespace fairway::daemon
