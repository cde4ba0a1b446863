// AddressBook: where the targets that are given by name are, as far as we know by now.
//
// A name is asked for again when its TTL is over; meanwhile, and for as long as that fails, the last
// addresses hold (L3). Belongs to the worker's thread.
#pragma once

#include "probes/async/group.hpp"
#include "probes/async/wait.hpp"
#include "probes/glue/resolver.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fairway::probes {

class AddressBook {
  public:
    using Resolve = std::function<Task<Resolution>(std::string name)>;

    AddressBook(Loop& loop, Resolve resolve) : loop_(loop), resolve_(std::move(resolve)), refreshing_(loop) {}

    /// The addresses of a name, sorted; with none known, waits for the answer. None and the error if that
    /// fails.
    Task<Resolution> find(std::string name);

    void forget_all_but(const std::set<std::string>& names);

  private:
    struct Entry {
        Resolution last;
        Instant due{}; ///< to be asked for again
        bool refreshing = false;
        std::vector<Completion<bool>::Setter> waiting;
    };
    Task<void> refresh(std::string name);

    Loop& loop_;
    Resolve resolve_;
    std::map<std::string, Entry> entries_;
    TaskGroup refreshing_;
};

} // namespace fairway::probes
