#include "policies/learned.hpp"

#include "config/enclosing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace fairway::policies {

namespace {

// What resolvers usually tell of a client (RFC 7871 section 11.1): more is not asked about.
constexpr std::uint8_t finest_v4 = 24, finest_v6 = 48;
// One measurement may be an accident; three that agree are an observation (the third leaves a little under
// 3).
constexpr double enough = 2.5;
// Below this nothing of a mean is worth keeping: three measurements are forgotten after five half-lives.
constexpr double forgotten = 0.1;
// What is used follows a mean that is off by more than this: half of what `latency` wants as a gain.
constexpr double least_step_ms = 5, least_step_part = 0.075;

std::uint8_t finest(Family f) { return f == Family::v4 ? finest_v4 : finest_v6; }

Prefix shortened(Prefix p) {
    p.length = std::min(p.length, finest(p.address.family));
    for (std::size_t i = 0; i < p.address.size(); ++i) {
        int bits = std::clamp(p.length - static_cast<int>(i) * 8, 0, 8);
        p.address.bytes[i] = static_cast<std::uint8_t>(p.address.bytes[i] & (0xff00 >> bits));
    }
    return p;
}

unsigned rounded(double ms) { return std::max(1u, static_cast<unsigned>(std::lround(ms))); }

bool matters(unsigned used, double mean) {
    return std::abs(mean - used) > std::max(least_step_ms, least_step_part * used);
}

} // namespace

LatencyBook::LatencyBook(LearnedSettings settings, std::vector<LearnedRecord> restored)
    : settings_(settings) {
    for (const LearnedRecord& r : restored)
        for (const auto& s : r.sites) book_[r.network][s.datacenter] = {s.mean_ms, s.weight, s.at, s.used_ms};
}

double LatencyBook::aged(const Site& s, WallTime now) const {
    using Seconds = std::chrono::duration<double>;
    double age =
        std::max(0.0, Seconds(now - s.at).count()); // a clock that was set back makes nothing younger
    return s.weight * std::exp2(-age / Seconds(settings_.half_life).count());
}

void LatencyBook::add(const Measurement& m, WallTime now) {
    Prefix network = shortened(m.network);
    if (!book_.contains(network) && book_.size() >= settings_.networks) forget_least(now);
    Site& s = book_[network][m.datacenter];
    double weight = aged(s, now) + 1;
    s.mean_ms += (m.rtt_ms - s.mean_ms) / weight;
    s.weight = weight;
    s.at = now;
    touched_.insert(network);
}

void LatencyBook::forget_least(WallTime now) {
    auto known = [&](const Sites& sites) {
        double sum = 0;
        for (const auto& [name, s] : sites) sum += aged(s, now);
        return sum;
    };
    auto least = std::ranges::min_element(book_, {}, [&](auto& entry) { return known(entry.second); });
    if (least == book_.end()) return;
    for (const auto& [name, s] : least->second) used_evicted_ |= s.used_ms.has_value();
    touched_.insert(least->first);
    book_.erase(least);
}

bool LatencyBook::settle(WallTime now) {
    while (book_.size() > settings_.networks) forget_least(now);
    bool moved = std::exchange(used_evicted_, false);
    for (auto n = book_.begin(); n != book_.end();) {
        auto& [network, sites] = *n;
        std::erase_if(sites, [&](auto& entry) {
            bool gone = aged(entry.second, now) < forgotten;
            if (gone) touched_.insert(network);
            moved |= gone && entry.second.used_ms;
            return gone;
        });
        for (auto& [name, s] : sites) {
            bool follow = s.used_ms ? matters(*s.used_ms, s.mean_ms) : aged(s, now) >= enough;
            if (!follow) continue;
            s.used_ms = rounded(s.mean_ms);
            touched_.insert(network);
            moved = true;
        }
        n = sites.empty() ? book_.erase(n) : std::next(n);
    }
    return moved;
}

void LatencyBook::configure(LearnedSettings settings) { settings_ = settings; }

LearnedRecord LatencyBook::record(const Prefix& network) const {
    LearnedRecord r{network, {}};
    if (auto n = book_.find(network); n != book_.end())
        for (const auto& [name, s] : n->second)
            r.sites.push_back({name, s.mean_ms, s.weight, s.at, s.used_ms});
    return r;
}

std::vector<LearnedRecord> LatencyBook::all() const {
    std::vector<LearnedRecord> records;
    for (const auto& [network, sites] : book_) records.push_back(record(network));
    return records;
}

Learned LatencyBook::used() const {
    Learned records = all();
    for (LearnedRecord& r : records) std::erase_if(r.sites, [](auto& s) { return !s.used_ms; });
    std::erase_if(records, [](auto& r) { return r.sites.empty(); });
    return records;
}

std::vector<LearnedRecord> LatencyBook::changed() {
    std::vector<LearnedRecord> records;
    for (const Prefix& network : touched_) records.push_back(record(network));
    touched_.clear();
    return records;
}

// ---- laid over the configuration

namespace {

class Overlay {
  public:
    Overlay(const Model& model, Clients& clients) : model_(model), clients_(clients) {}

    /// The class of clients that are `base` but for what `r` says; nullopt: there is no number left for it.
    std::optional<ClientClassIndex> of(ClientClassIndex base, const LearnedRecord& r) {
        ClientClass k = clients_.classes[base];
        k.rtt_ms.resize(model_.datacenters.size());
        for (const auto& s : r.sites)
            if (auto dc = model_.find_datacenter(s.datacenter)) k.rtt_ms[*dc] = *s.used_ms;
        auto [at, fresh] =
            numbers_.try_emplace({base, k.rtt_ms}, static_cast<ClientClassIndex>(clients_.classes.size()));
        if (!fresh) return at->second;
        if (clients_.classes.size() > std::numeric_limits<ClientClassIndex>::max()) {
            numbers_.erase(at);
            return std::nullopt;
        }
        clients_.classes.push_back(std::move(k));
        return at->second;
    }

  private:
    const Model& model_;
    Clients& clients_;
    std::map<std::pair<ClientClassIndex, std::vector<std::optional<double>>>, ClientClassIndex> numbers_;
};

} // namespace

Clients over(const Model& model, const Clients& configured, const Learned& learned) {
    Clients all = configured;
    Overlay overlay(model, all);
    Enclosing holders(configured.networks);
    std::vector<Clients::Network> laid;
    for (const LearnedRecord& r : learned) {
        const Clients::Network* holder = holders.of(r.network);
        auto k = overlay.of(holder ? holder->client_class : ClientClassIndex{0}, r);
        if (k) laid.push_back({r.network, *k});
    }
    auto prefix = [](const Clients::Network& n) { return n.prefix; };
    std::erase_if(all.networks,
                  [&](auto& n) { return std::ranges::binary_search(laid, n.prefix, {}, prefix); });
    auto middle = all.networks.insert(all.networks.end(), laid.begin(), laid.end());
    std::inplace_merge(all.networks.begin(), middle, all.networks.end(),
                       [&](auto& a, auto& b) { return a.prefix < b.prefix; });
    return all;
}

} // namespace fairway::policies
