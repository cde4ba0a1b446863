// What http.listen serves, read only: /metrics, /healthz, /readyz, /status.
#pragma once

#include "daemon/desk.hpp"
#include "daemon/http_server.hpp"
#include "daemon/metrics.hpp"

namespace fairway::daemon {

class Pages {
  public:
    using Ask = std::function<Vitals()>; ///< any thread

    Pages(NewestReport& reports, const Metrics& metrics, Ask vitals)
        : reports_(reports), metrics_(metrics), vitals_(std::move(vitals)) {}

    HttpResponse answer(const HttpRequest& request) const; ///< any thread

  private:
    HttpResponse metrics() const;
    HttpResponse status() const;
    HttpResponse ready() const;
    NewestReport& reports_;
    const Metrics& metrics_;
    Ask vitals_;
};

} // namespace fairway::daemon
