// Tools: what the looks of one thread have in common, libraries and limits.
#pragma once

#include "probes/address_book.hpp"
#include "probes/async/group.hpp"
#include "probes/async/slots.hpp"
#include "probes/glue/curl.hpp"
#include "probes/glue/ping.hpp"
#include "probes/glue/plain_http.hpp"
#include "probes/glue/resolver.hpp"
#include "probes/glue/stream.hpp"

namespace fairway::probes {

/// Programs (exec) at once in one thread: more would be felt by the machine that answers DNS.
constexpr std::size_t programs_at_once = 64;

/// Belongs to its loop's thread; outlives its looks.
struct Tools {
    Tools(Loop& l, std::size_t kept_connections)
        : loop(l),
          curl(l, kept_connections / 4), // checks over TLS or HTTP/2 are the fewer
          plain_http(l, kept_connections - kept_connections / 4),
          ping(l),
          resolver(l),
          book(l, [this](std::string name) { return resolver.resolve(std::move(name)); }),
          programs(l, programs_at_once),
          closing(l) {}

    /// Files and resolv.conf are read anew.
    void reload() {
        resolver.reload();
        tls.forget();
        plain_http.forget();
    }

    /// As curl.hpp says, by whom it costs the least.
    Task<HttpAnswer> ask(HttpRequest request, Reason& silence) {
        return PlainHttp::speaks(request) ? plain_http.perform(std::move(request), silence)
                                          : curl.perform(std::move(request), silence);
    }

    Loop& loop;
    Curl curl;
    PlainHttp plain_http;
    TlsClient tls;
    Ping ping;
    Resolver resolver;
    AddressBook book;
    Slots programs;
    TaskGroup closing; ///< connections that say goodbye after the look is over, programs that are being ended
};

} // namespace fairway::probes
