#include "dns/network_table.hpp"

#include "dns/wire.hpp"

#include <algorithm>

namespace fairway::dns {
namespace {

template<typename Key> Key key_of(const IpAddress& a) {
    if constexpr (sizeof(Key) == 4) return get32(a.bytes.data());
    else {
        const auto half = [&](std::size_t i) { return __builtin_bswap64(load64(a.bytes.data() + i)); };
        return static_cast<uint128>(half(0)) << 64 | half(8);
    }
}

unsigned leading_zeros(std::uint32_t v) { return static_cast<unsigned>(__builtin_clz(v)); }
unsigned leading_zeros(uint128 v) {
    const auto high = static_cast<std::uint64_t>(v >> 64), low = static_cast<std::uint64_t>(v);
    return static_cast<unsigned>(high ? __builtin_clzll(high) : 64 + __builtin_clzll(low));
}

// Up to here a search is as short as it would be with an index, which takes 256 KiB.
constexpr std::size_t few = 64;
template<typename Key> constexpr unsigned index_shift = sizeof(Key) * 8 - 16;

// What parts the address from the last one before its range and the first one after it.
template<typename Key>
std::uint8_t scope_of(const NetworkTable::Ranges<Key>& ranges, std::size_t range, Key key) noexcept {
    const auto& starts = ranges.starts;
    unsigned scope = 0;
    if (range > 0) scope = leading_zeros(static_cast<Key>(key ^ (starts[range] - 1))) + 1;
    if (range + 1 < starts.size())
        scope = std::max(scope, leading_zeros(static_cast<Key>(key ^ starts[range + 1])) + 1);
    return static_cast<std::uint8_t>(scope);
}

// Sweeps sorted networks from left to right with those that are open on a stack: the innermost one rules.
template<typename Key> class Sweep {
  public:
    explicit Sweep(NetworkTable::Ranges<Key>& out) : out_(out) {}

    void add(const Prefix& p, ClientClassIndex c) {
        const Key start = key_of<Key>(p.address);
        close_before(start);
        emit(start, c);
        constexpr unsigned bits = sizeof(Key) * 8;
        const Key host = p.length == 0      ? ~Key{0}
                         : p.length == bits ? Key{0}
                                            : (Key{1} << (bits - p.length)) - 1;
        open_.push_back({start | host, c});
    }
    void finish() {
        while (!open_.empty()) close();
        merge();
        find_scopes();
        if (out_.starts.size() > few) make_index();
    }

  private:
    struct Open {
        Key last;
        ClientClassIndex client_class;
    };
    void close_before(Key start) {
        while (!open_.empty() && open_.back().last < start) close();
    }
    void close() {
        const Key last = open_.back().last;
        open_.pop_back();
        if (last != ~Key{0}) emit(last + 1, open_.empty() ? ClientClassIndex{0} : open_.back().client_class);
    }
    void emit(Key start, ClientClassIndex c) {
        if (out_.starts.back() == start) out_.ranges.back().client_class = c;
        else {
            out_.starts.push_back(start);
            out_.ranges.push_back({c});
        }
    }
    void merge() {
        std::size_t kept = 0;
        for (std::size_t i = 1; i < out_.starts.size(); ++i) {
            if (out_.ranges[i].client_class == out_.ranges[kept].client_class) continue;
            ++kept;
            out_.starts[kept] = out_.starts[i];
            out_.ranges[kept] = out_.ranges[i];
        }
        out_.starts.resize(kept + 1);
        out_.ranges.resize(kept + 1);
        out_.starts.shrink_to_fit();
        out_.ranges.shrink_to_fit();
    }

    // A range that is one network parts from its neighbours at the same bits, whichever address is asked for.
    void find_scopes() {
        for (std::size_t i = 0; i < out_.starts.size(); ++i) {
            const Key first = out_.starts[i];
            const Key last = (i + 1 < out_.starts.size() ? out_.starts[i + 1] : Key{0}) - 1;
            const Key host = first ^ last;
            const bool network = (host & (host + 1)) == 0 && (first & host) == 0;
            out_.ranges[i].scope = network ? scope_of(out_, i, first) : NetworkTable::Range::varies;
        }
    }

    void make_index() {
        std::uint32_t range = 0;
        for (std::uint64_t top = 0; top <= 0xffff; ++top) {
            const Key first = static_cast<Key>(top) << index_shift<Key>;
            while (range + 1 < out_.starts.size() && out_.starts[range + 1] <= first) ++range;
            out_.index.push_back(range);
        }
        out_.index.push_back(static_cast<std::uint32_t>(out_.starts.size() - 1));
    }

    NetworkTable::Ranges<Key>& out_;
    std::vector<Open> open_;
};

// The last range that starts at or before the key, without a branch that depends on the data.
template<typename Key>
NetworkTable::Found find_in(const NetworkTable::Ranges<Key>& ranges, Key key) noexcept {
    const Key* const starts = ranges.starts.data();
    const Key* at = starts;
    std::size_t n = ranges.starts.size();
    if (!ranges.index.empty()) {
        const std::uint32_t* const index = &ranges.index[static_cast<std::size_t>(key >> index_shift<Key>)];
        at += index[0];
        n = index[1] - index[0] + 1;
    }
    while (n > 1) {
        const std::size_t half = n / 2;
        at = at[half] <= key ? at + half : at;
        n -= half;
    }
    const auto i = static_cast<std::size_t>(at - starts);
    const NetworkTable::Range range = ranges.ranges[i];
    if (range.scope != NetworkTable::Range::varies) return {range.client_class, range.scope};
    return {range.client_class, scope_of(ranges, i, key)};
}

} // namespace

NetworkTable::NetworkTable(const std::vector<Clients::Network>& networks) {
    Sweep<std::uint32_t> v4(v4_);
    Sweep<uint128> v6(v6_);
    std::vector<Clients::Network> sorted(networks);
    std::sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.prefix < b.prefix; });
    for (const auto& n : sorted)
        if (n.prefix.address.family == Family::v4) v4.add(n.prefix, n.client_class);
        else v6.add(n.prefix, n.client_class);
    v4.finish();
    v6.finish();
}

NetworkTable::Found NetworkTable::find(const IpAddress& address) const noexcept {
    if (address.family == Family::v4) return find_in(v4_, key_of<std::uint32_t>(address));
    return find_in(v6_, key_of<uint128>(address));
}

} // namespace fairway::dns
