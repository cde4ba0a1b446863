#include "policies/lag.hpp"

namespace fairway::policies {

namespace {
// At one sample in 2 s this remembers an hour of a busy primary; a standby further behind is "at least that".
constexpr std::size_t most_samples = 1800;
} // namespace

void PrimaryTrack::sample(Instant at, std::uint64_t position, std::optional<std::uint64_t> epoch) {
    if (epoch && epoch_ && *epoch < *epoch_) return;
    if (epoch && epoch != epoch_) {
        samples_.clear();
        epoch_ = epoch;
    }
    // While the position stands still, the first sample says when it was reached and the last how long it has
    // held.
    bool still = samples_.size() >= 2 && samples_.back().position == position &&
                 samples_[samples_.size() - 2].position == position;
    if (still) samples_.back().at = at;
    else samples_.push_back({at, position});
    if (samples_.size() > most_samples) samples_.pop_front();
}

std::optional<Lag> PrimaryTrack::behind(std::uint64_t received) const {
    if (samples_.empty()) return std::nullopt;
    const Sample& newest = samples_.back();
    Lag lag{.sampled = newest.at};
    if (received >= newest.position) return lag;
    lag.bytes = newest.position - received;
    // The last moment at which the primary is known not to have been beyond `received`.
    Instant passed = samples_.front().at;
    for (auto s = samples_.rbegin(); s != samples_.rend(); ++s)
        if (s->position <= received) {
            passed = s->at;
            break;
        }
    lag.time = newest.at - passed;
    return lag;
}

void LagMemory::note(Instant at, Duration lag) {
    lags_.push_back({at, lag});
    if (lags_.size() > most) lags_.pop_front();
}

std::optional<Duration> LagMemory::at(Instant fault) const {
    std::optional<Duration> last;
    for (const auto& [when, lag] : lags_)
        if (!last || when <= fault) last = lag;
    return last;
}

} // namespace fairway::policies
