// What http.listen serves to people and to programs that only read: the status page, /metrics, /healthz,
// /readyz, /status.
#pragma once

#include "daemon/desk.hpp"
#include "daemon/history.hpp"
#include "daemon/http_server.hpp"
#include "daemon/metrics.hpp"
#include "daemon/page/status.hpp"

namespace fairway::daemon {

/// What a service's page needs of the control thread.
struct ServiceView {
    std::set<MemberId> members;
    std::optional<policies::Explanation> explanation; ///< where a client was named
};

class Pages {
  public:
    struct Office {
        std::function<Vitals()> vitals;                  ///< any thread
        std::function<std::optional<ServiceView>(const Title&, std::optional<IpAddress>)> view;
        std::string node;
        /// Metrics with what was counted before this process; any thread. Empty: nothing was.
        std::function<std::string(std::string)> carried{};
    };

    Pages(Desk& desk, NewestReport& reports, const Metrics& metrics, History& history, Office office)
        : desk_(desk), reports_(reports), metrics_(metrics), history_(history), office_(std::move(office)) {}

    HttpResponse answer(const HttpRequest& request) const; ///< any thread but control

  private:
    HttpResponse metrics() const;
    HttpResponse status() const;
    HttpResponse ready() const;
    HttpResponse html(const HttpRequest& request) const;
    HttpResponse service(const HttpRequest& request, page::Facts& facts, const std::string& name) const;
    HttpResponse timeline(const HttpRequest& request, page::Facts& facts) const;
    void remember(page::Facts& facts, const JournalQuery& query) const;

    Desk& desk_;
    NewestReport& reports_;
    const Metrics& metrics_;
    History& history_;
    Office office_;
};

} // namespace fairway::daemon
