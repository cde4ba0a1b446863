// Where measured round trips come in, and what is known of them can be asked: /v1/latency.
//
// Called in the HTTP servers' threads. A body is taken whole or not at all.
#pragma once

#include "daemon/desk.hpp"
#include "daemon/http_server.hpp"
#include "daemon/json_value.hpp"
#include "daemon/learner.hpp"
#include "policies/learned.hpp"

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace fairway::daemon {

/// Measurements a body may bring: as many as its 64 KiB hold.
inline constexpr std::size_t most_measurements = 500;

/// {"measurements": [{"prefix": "192.0.2.0/24", "datacenter": "east", "rtt_ms": 12.5}]}; a prefix without a
/// length is one address. The text says which of them is wrong, and why.
std::variant<std::vector<policies::Measurement>, std::string> read_measurements(const JsonValue& body);

class LatencyOffice {
  public:
    using ModelOf = std::function<const Model&()>; ///< control thread

    LatencyOffice(Desk& desk, ModelOf model, Learner& learner)
        : desk_(desk), model_(std::move(model)), learner_(learner) {}

    /// POST: 400 for what is no measurement, 404 for a datacenter that is not configured, 409 where no
    /// service asks how far it is. GET: what is known, `client` an address that a network must hold.
    HttpResponse answer(const HttpRequest& request);

  private:
    HttpResponse take(const std::string& body);
    HttpResponse tell(const std::string& client);
    Desk& desk_;
    ModelOf model_;
    Learner& learner_; ///< control thread's
};

} // namespace fairway::daemon
