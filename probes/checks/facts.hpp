// Facts as others write them: the values of exec's keys, and of what rules find in a JSON answer.
#pragma once

#include "config/check_kinds.hpp"
#include "policies/observation.hpp"
#include "probes/checks/check.hpp"
#include "probes/glue/json.hpp"

#include <string>
#include <vector>

namespace fairway::probes {

// Each is false for what is no value of its kind.
bool read_flag(const std::string& text, std::optional<bool>& out);
bool read_count(const std::string& text, std::optional<std::uint64_t>& out);
bool read_weight(const std::string& text, std::optional<double>& out); ///< "75%" or a share from 0 to 1
/// "1.5s", or a number of `unit` seconds each.
bool read_lag(const std::string& text, double unit, std::optional<Duration>& out);

/// Takes what the rules find. The pointer of the first that finds something it cannot use; empty: none did.
/// What is not there, and a word of no role, is not said.
std::string find_facts(const std::vector<FactRule>& rules, const Json& json, Facts& facts);

/// Takes what a program or a site says of itself: a mapping of outcome, detail, role, quorum, read_only,
/// epoch, system, position, lag, weight and load, each of them optional. The first key whose value cannot be
/// used; empty: none.
std::string read_report(const Json& json, Finding& found);

} // namespace fairway::probes
