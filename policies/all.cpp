#include "policies/selection.hpp"

#include <algorithm>

namespace fairway::policies {

// Who is unfit but braked is left out of an answer that has anybody better: the client would try it.
Pool all(std::span<const Candidate> candidates) {
    bool any_fit = std::ranges::any_of(candidates, [](auto& c) { return c.fit && c.weight > 0; });
    Pool pool{.how = Pool::How::all};
    for (const Candidate& c : candidates)
        if (c.usable && c.weight > 0 && (c.fit || !any_fit)) pool.members.push_back({c.endpoint});
    return pool;
}

} // namespace fairway::policies
