// What is served, zone by zone and name by name: /v1/zone.
//
// Called in the HTTP servers' threads: the control thread only hands the snapshot over.
#pragma once

#include "daemon/desk.hpp"
#include "daemon/http_server.hpp"
#include "dns/zone_listing.hpp"

#include <mutex>

namespace fairway::daemon {

class ZoneOffice {
  public:
    using Served = std::function<dns::SnapshotPtr()>; ///< control thread

    ZoneOffice(Desk& desk, Served served) : desk_(desk), served_(std::move(served)) {}

    /// Without `name` the zones there are. With it, names at and below it in pages of `limit`, from behind
    /// `after` on; `client` is whom services' answers are shown for. 404: in no zone of ours.
    HttpResponse answer(const HttpRequest& request);

  private:
    /// The order of its names; made anew where it is of another configuration than the last one.
    std::shared_ptr<const dns::NameOrder> order_of(const dns::Snapshot& served);

    Desk& desk_;
    Served served_;
    std::mutex mutex_;
    std::weak_ptr<const dns::StaticPart> ordered_;
    std::shared_ptr<const dns::NameOrder> order_; ///< of that
};

} // namespace fairway::daemon
