// What http.listen serves, read only: /metrics, /healthz, /readyz, /status.
#pragma once

#include "daemon/desk.hpp"
#include "daemon/http_server.hpp"
#include "daemon/metrics.hpp"

namespace fairway::daemon {

class Pages {
  public:
    using CountDns = std::function<DnsCounts()>; ///< any thread

    Pages(Reports& reports, const Metrics& metrics, CountDns count)
        : reports_(reports), metrics_(metrics), count_(std::move(count)) {}

    HttpResponse answer(const HttpRequest& request) const; ///< any thread

  private:
    HttpResponse metrics() const;
    HttpResponse status() const;
    HttpResponse ready() const;
    Reports& reports_;
    const Metrics& metrics_;
    CountDns count_;
};

} // namespace fairway::daemon
