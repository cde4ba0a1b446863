// what-if in words: how it is asked, of the daemon or on a configuration, and how it is told.
#pragma once

#include "policies/what_if.hpp"

#include <string>
#include <variant>

namespace fairway::daemon {

/// Lists with commas: lose "east,west", down "DATACENTER/SERVICE", loads "DATACENTER=NUMBER".
struct WhatIfWords {
    std::string lose, down, loads;
};

/// The question, or what is wrong with the words.
std::variant<policies::WhatIfQuestion, std::string> read_question(const WhatIfWords& words,
                                                                  const Model& model);

/// What is down already, "DATACENTER/SERVICE" with commas; or what is wrong with the words.
std::variant<std::vector<policies::WhatIfQuestion::Down>, std::string> read_down(const std::string& words,
                                                                                 const Model& model);

std::string to_json(const policies::WhatIf& answer);

} // namespace fairway::daemon
