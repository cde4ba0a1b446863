// What every drill includes: the story's words, doctest, and the configurations that several drills share.
//
// A drill that fails prints its seed, its configuration and its journal.
#pragma once

#include "tests/sim/story.hpp"

#include <doctest/doctest.h>
#include <initializer_list>
#include <string>
#include <string_view>

namespace fairway::sim {

using policies::Change;
using policies::Readiness;
using policies::SwitchStep;

/// A story told under doctest: what no story may show is checked at its end.
class Drill : public Story {
  public:
    explicit Drill(std::string yaml, std::uint64_t seed = 1) : Story(yaml, seed), yaml_(std::move(yaml)) {}
    ~Drill() override;

  private:
    std::string yaml_;
};

// ---- configurations: east, west, eu and asia (10.1.0.1, 10.2.0.1 ...), a web tier on 8080, PostgreSQL on
// 5432

struct Named {
    std::string name; ///< first label
    std::string keys; ///< of the service, a line each, without endpoints
};

/// The YAML of `sites` datacenters with an address each for every service. `top` is added at the top level.
std::string sites(int sites, std::initializer_list<Named> services, const std::string& top = "");

/// As above, with the endpoints written out by the story: lines such as "east: {addresses: [10.1.0.1]}".
std::string sites_with(int sites, const Named& service, const std::string& endpoints,
                       const std::string& top = "");

/// Traffic follows the database's primary.
inline const std::string follow =
    "policy: {type: active_passive, follow: primary}\napplication: web\nstateful: db\n";
inline const std::string hooks =
    "hooks: {fence: {exec: [/srv/fence], timeout: 10s}, promote: {exec: [/srv/promote], timeout: 30s}}\n";
inline const std::string automatic = follow + "failover: automatic\n" + hooks;
inline const std::string by_approval = follow + "failover: approval\n" + hooks;
/// No database.
inline const std::string weighted = "policy: weighted\napplication: web\n";
inline std::string ordered(const std::string& order) {
    return "policy: {type: active_passive, order: [" + order + "]}\napplication: web\n";
}
inline const std::string with_references = "self_doubt: {references: [\"tcp://198.51.100.1:53\"]}\n";

/// A long time in which nothing may happen: two hours, and 24 where FAIRWAY_LONG is set (`tests/run --all`).
Duration a_quiet_day();

/// Seconds as people read them, for messages.
inline double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

} // namespace fairway::sim
