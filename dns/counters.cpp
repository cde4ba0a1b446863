#include "dns/counters.hpp"

namespace fairway::dns {
namespace {

template<std::size_t n> void add(std::array<std::uint64_t, n>& to, const std::array<std::uint64_t, n>& from) {
    for (std::size_t i = 0; i < n; ++i) to[i] += from[i];
}

template<std::size_t n> std::array<std::uint64_t, n> read_all(const std::array<Counter, n>& counters) {
    std::array<std::uint64_t, n> values;
    for (std::size_t i = 0; i < n; ++i) values[i] = counters[i].get();
    return values;
}

} // namespace

Counts& Counts::operator+=(const Counts& o) {
    queries += o.queries;
    silent += o.silent;
    add(by_rcode, o.by_rcode);
    truncated += o.truncated;
    send_errors += o.send_errors;
    add(by_cookie, o.by_cookie);
    add(slipped, o.slipped);
    add(dropped, o.dropped);
    connections += o.connections;
    ended += o.ended;
    add(closed, o.closed);
    return *this;
}

Counts Counters::read() const {
    Counts c;
    c.queries = queries.get();
    c.silent = silent.get();
    c.by_rcode = read_all(by_rcode);
    c.truncated = truncated.get();
    c.send_errors = send_errors.get();
    c.by_cookie = read_all(by_cookie);
    c.slipped = read_all(slipped);
    c.dropped = read_all(dropped);
    c.connections = connections.get();
    c.ended = ended.get();
    c.closed = read_all(closed);
    return c;
}

} // namespace fairway::dns
