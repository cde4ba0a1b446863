#include "policies/doubt.hpp"

#include <map>

namespace fairway::policies {

namespace {

struct Tally {
    std::size_t heard = 0, silent = 0;
    std::vector<std::uint32_t> unheard;
    bool dark(bool settle) const { return heard > 0 ? silent * 2 > heard : settle; }
};

void count(Tally& tally, const Witness& w, Instant since) {
    if (w.begun < since) {
        if (tally.unheard.size() < looks_per_datacenter) tally.unheard.push_back(w.index);
        return;
    }
    ++tally.heard;
    tally.silent += w.silent;
}

} // namespace

World judge(std::span<const Witness> witnesses, std::optional<DatacenterIndex> home, Instant since,
            bool settle) {
    std::map<DatacenterIndex, Tally> foreign;
    Tally references;
    bool have_references = false;
    for (const Witness& w : witnesses) {
        if (w.reference) {
            have_references = true;
            count(references, w, since);
        } else if (w.datacenter != home) count(foreign[w.datacenter], w, since);
    }

    World world{.counting = foreign.size()};
    auto ask = [&](const Tally& t) {
        if (t.heard == 0 && !settle) world.look.insert(world.look.end(), t.unheard.begin(), t.unheard.end());
    };
    for (auto& [_, tally] : foreign) {
        ask(tally);
        world.dark += tally.dark(settle);
    }
    ask(references);
    // One answer of one reference is enough to believe in our own uplink.
    world.references_silent =
        have_references && references.silent == references.heard && (references.heard > 0 || settle);
    bool all_dark = world.dark == world.counting;
    world.doubt = all_dark && (have_references ? world.references_silent : world.dark >= 2);
    return world;
}

} // namespace fairway::policies
