#include "config/enclosing.hpp"

namespace fairway {

namespace {
bool holds(const Prefix& outer, const Prefix& inner) {
    return outer.length <= inner.length && outer.contains(inner.address);
}
} // namespace

const Clients::Network* Enclosing::of(const Prefix& prefix) {
    for (; next_ < networks_.size() && networks_[next_].prefix <= prefix; ++next_) {
        while (!open_.empty() && !holds(open_.back()->prefix, networks_[next_].prefix)) open_.pop_back();
        open_.push_back(&networks_[next_]);
    }
    // What is passed stays passed: prefixes come in ascending order.
    while (!open_.empty() && !holds(open_.back()->prefix, prefix)) open_.pop_back();
    return open_.empty() ? nullptr : open_.back();
}

std::vector<ClientClassIndex> heirs(const Clients& before, const Clients& after) {
    std::vector<ClientClassIndex> of(after.classes.size(), 0);
    std::vector<bool> known(after.classes.size(), false);
    known[0] = true;
    Enclosing old(before.networks);
    for (const Clients::Network& n : after.networks) {
        const Clients::Network* was = old.of(n.prefix); // asked for each: it goes forward only
        if (known[n.client_class]) continue;
        known[n.client_class] = true;
        of[n.client_class] = was ? was->client_class : ClientClassIndex{0};
    }
    return of;
}

} // namespace fairway
