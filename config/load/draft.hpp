// A service while it is being read: what its parts (policy, expressions, endpoints, hooks) need of one
// another.
#pragma once

#include "config/load/binding.hpp"

#include <functional>

namespace fairway::load {

struct Draft {
    Service service;
    ServiceNotes notes;
    std::map<std::string, CheckIndex, std::less<>> used; ///< the checks its expressions name
    bool checks_usable = true;                           ///< false: one of them was refused already
};

/// `application` or `stateful`; nothing if it cannot be read.
std::optional<Expression> read_expression(const Node& n, Draft& d, Binding& b);
/// Visits every check of an expression; `required` is false below a part that only watches.
void each_check(const Expression& e, const std::function<void(CheckIndex, bool required)>& visit,
                bool required = true);

void read_policy(const Mapping& service, Draft& d, Binding& b); // policy.cpp
void read_switching(const Mapping& service, Draft& d,
                    Binding& b); // switching.cpp: failover, failback, hooks, ...
void read_load(const Mapping& service, Draft& d, Binding& b);      // shedding.cpp: before the endpoints
void review_load(const Mapping& service, const Draft& d);          // shedding.cpp: once all is read
void read_endpoints(const Mapping& service, Draft& d, Binding& b); // endpoints.cpp

} // namespace fairway::load
