// What the control API is asked, from JSON to a command: one reader a command, and every field is looked at.
#pragma once

#include "daemon/json_value.hpp"
#include "policies/command.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace fairway::daemon {

struct BadRequest {
    std::string why; ///< one sentence
};

/// The command named `name` ("drain") as `body` describes it. nullopt: there is no such command.
std::optional<std::variant<policies::Command, BadRequest>>
read_command(std::string_view name, const JsonValue& body, std::string operator_name);

} // namespace fairway::daemon
