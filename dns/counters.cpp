#include "dns/counters.hpp"

namespace fairway::dns {

Counts& Counts::operator+=(const Counts& o) {
    queries += o.queries;
    silent += o.silent;
    for (std::size_t i = 0; i < rcodes; ++i) by_rcode[i] += o.by_rcode[i];
    truncated += o.truncated;
    send_errors += o.send_errors;
    connections += o.connections;
    closed_by_limit += o.closed_by_limit;
    return *this;
}

Counts Counters::read() const {
    Counts c;
    c.queries = queries.get();
    c.silent = silent.get();
    for (std::size_t i = 0; i < Counts::rcodes; ++i) c.by_rcode[i] = by_rcode[i].get();
    c.truncated = truncated.get();
    c.send_errors = send_errors.get();
    c.connections = connections.get();
    c.closed_by_limit = closed_by_limit.get();
    return c;
}

} // namespace fairway::dns
