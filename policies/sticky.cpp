#include "config/rendezvous.hpp"
#include "policies/selection.hpp"

namespace fairway::policies {

Pool sticky(const std::vector<unsigned>& weights, const Ground& g) {
    Pool pool = weighted(weights, g);
    pool.how = Pool::How::stick;
    for (Pool::Member& m : pool.members)
        m.key = rendezvous_key(g.model.datacenter_of(g.service, m.choice).name);
    return pool;
}

} // namespace fairway::policies
