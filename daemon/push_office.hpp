// Where a datacenter's report about itself comes in: whose token it is, what it says, who is told.
//
// Called in the HTTP servers' threads. A token says which datacenter reports, and to its checks alone: it
// opens nothing else. Token files are read at each report, so a new one needs no reload.
#pragma once

#include "daemon/desk.hpp"
#include "daemon/http_server.hpp"
#include "probes/push.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace fairway::daemon {

class PushOffice {
  public:
    using FindCheck =
        std::function<CheckPtr(const std::string& name)>; ///< control thread; null: there is none

    PushOffice(Desk& desk, FindCheck find, probes::PushDesk& reports)
        : desk_(desk), find_(std::move(find)), reports_(reports) {}

    /// POST /v1/push/CHECK. 401 without a token of the check, 400 for what is no report, 404 where nothing
    /// waits for it.
    HttpResponse answer(std::string_view check, const HttpRequest& request);

  private:
    Desk& desk_;
    FindCheck find_;
    probes::PushDesk& reports_; ///< control thread's
};

} // namespace fairway::daemon
