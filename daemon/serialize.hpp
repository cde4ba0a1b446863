// The decision's values as JSON text: the state store's columns, the status page, the journal and the hooks'
// input.
//
// Records read back exactly as they were written; what cannot be read is nullopt. Times are milliseconds
// since 1970 in records and RFC 3339 in what people and programs of others read.
#pragma once

#include "daemon/controller.hpp"
#include "daemon/journal_entry.hpp"
#include "policies/command.hpp"
#include "policies/report.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fairway::daemon {

std::string to_json(const policies::ServiceRecord& r);
std::string to_json(const policies::MemberRecord& r);
std::string to_json(const policies::Override& o);
std::string to_json(const policies::AliasRecord& r);
std::string to_json(const policies::LearnedRecord& r);
std::optional<policies::ServiceRecord> service_record(std::string_view json);
std::optional<policies::MemberRecord> member_record(std::string_view json);
std::optional<policies::Override> override_record(std::string_view json);
std::optional<policies::AliasRecord> alias_record(std::string_view json);
std::optional<policies::LearnedRecord> learned_record(std::string_view json);

std::string to_json(const std::vector<policies::LearnedRecord>& known); ///< for people and programs
std::string to_json(const policies::Report& r);
/// `not_stored`: why what was decided is not on disk.
std::string to_json(const policies::CommandResult& r, const std::optional<std::string>& not_stored = {});
std::string to_json(const policies::Transition& t, Now now);
std::string to_json(const Happening& h, Now now); ///< the transition with its number
std::string to_json(const policies::Command& c);
JournalEntry command_entry(const policies::Command& c); ///< what, whereabouts, and the command itself

/// What a hook is told (manual: runbook hooks).
std::string hook_json(const Service& service, const policies::HookRequest& request);
std::string hook_result_json(const policies::HookResult& result, Duration took);
std::string_view step_name(Hook::Step step);

struct About {
    std::string version, configuration;
    WallTime started{};
    int pid = 0;
};
std::string to_json(const About& a);
std::string error_json(std::string_view error);

} // namespace fairway::daemon
