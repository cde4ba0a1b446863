// NameWatch: asks for names whose addresses are answered (aliases), each again when its TTL is over.
//
// It tells what it saw, failures too, and keeps nothing: what to believe is decided in policies/alias.
// Belongs to the worker's thread.
#pragma once

#include "policies/observation.hpp"
#include "probes/async/group.hpp"
#include "probes/glue/resolver.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fairway::probes {

class NameWatch {
  public:
    using Resolve = std::function<Task<Resolution>(std::string name, Family family)>;
    using Sink = std::function<void(NameObservation)>;

    NameWatch(Loop& loop, Resolve resolve, Sink sink)
        : loop_(loop), resolve_(std::move(resolve)), sink_(std::move(sink)) {}

    /// The whole set, absolute names without the final dot. Those that are followed already keep their time.
    void follow(const std::vector<std::string>& names);

  private:
    Task<void> follow(std::string name);

    Loop& loop_;
    Resolve resolve_;
    Sink sink_;
    std::map<std::string, std::unique_ptr<TaskGroup>> followed_; ///< each with one task
};

} // namespace fairway::probes
