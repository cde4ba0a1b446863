// One question to a PostgreSQL server by asynchronous libpq: connect, ask, say goodbye.
#pragma once

#include "config/address.hpp"
#include "policies/observation.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fairway::probes {

struct PgQuestion {
    SocketAddress address;
    std::string host; ///< the name verified in the certificate; empty: the address
    std::string user;
    std::string dbname;
    std::string password;
    std::string sslmode; ///< libpq's word
    std::string ca_file; ///< PEM; empty: the system's
    std::string sql;     ///< yields one row
};

struct PgAnswer {
    Reason reason = Reason::ok; ///< other than ok: no row was got
    std::string detail;
    std::vector<std::optional<std::string>> row;
};

/// `silence` is kept at what a timeout would mean. Destroying the task closes the session: with a Terminate
/// message once it is established, so that the server logs nothing.
Task<PgAnswer> ask(Loop& loop, PgQuestion question, Reason& silence);

/// Opens a session and keeps it, idle and outside any transaction, until the server ends it; also if none
/// stands within `limit`. Destroying the task says goodbye as above. `sql` is not asked.
Task<void> hold_session(Loop& loop, PgQuestion question, Duration limit);

} // namespace fairway::probes
