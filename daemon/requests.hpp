// What the control API is asked, from JSON to a command: one reader a command, and every field is looked at.
#pragma once

#include "config/model.hpp"
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

/// What the command names and the configuration does not know, with the nearest name it knows: one sentence,
/// or empty.
std::string unknown_name(const policies::Command& command, const Model& model);

} // namespace fairway::daemon
