// What holds a network, and what becomes of a client class when the networks change.
#pragma once

#include "config/clients.hpp"

namespace fairway {

/// Which network holds a prefix most closely. Prefixes are asked in ascending order, so that one pass over
/// the networks answers them all.
class Enclosing {
  public:
    explicit Enclosing(const std::vector<Clients::Network>& networks) : networks_(networks) {}
    const Clients::Network* of(const Prefix& prefix); ///< itself, if it is one of them; null: none holds it

  private:
    const std::vector<Clients::Network>& networks_;
    std::size_t next_ = 0;
    std::vector<const Clients::Network*> open_; ///< outermost first: those begun and not yet passed
};

/// For each class of `after` the one of `before` whose clients are now in it: by its first network there.
std::vector<ClientClassIndex> heirs(const Clients& before, const Clients& after);

} // namespace fairway
