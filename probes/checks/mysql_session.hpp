// A session with a MySQL or MariaDB server: open, ask, say goodbye.
//
// Not libmariadb's: its non-blocking calls wait in poll() for a TLS handshake, which would stop every look of
// the thread; they verify the address they connect to, never a name; and a call cannot be given up.
#pragma once

#include "probes/checks/check.hpp"
#include "probes/checks/mysql_wire.hpp"
#include "probes/glue/stream.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fairway::probes {

struct MysqlAnswer {
    Reason reason = Reason::ok; ///< other than ok: there are no rows
    unsigned code = 0;          ///< the server's error code; 0: none
    std::string detail;
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
};

/// Belongs to its look. Destroying it closes the connection.
class MysqlSession {
  public:
    MysqlSession(const MysqlCheck& check, std::string password, Look at);

    Task<MysqlAnswer> open();
    Task<MysqlAnswer> ask(std::string sql); ///< only once open
    /// Tells the server that it is over, so that it counts no aborted client; waited for by at.tools.closing.
    void leave();

  private:
    Task<MysqlAnswer> secure(bool offered);
    Task<MysqlAnswer> log_in(MysqlGreeting greeting);
    Task<MysqlAnswer> prove(std::string plugin, std::string nonce);
    Task<MysqlAnswer> read();
    Task<MysqlAnswer> write(std::string payload, std::uint8_t number);

    const MysqlCheck& check_;
    const std::string password_;
    Look at_;
    std::optional<Stream> stream_;
    MysqlPackets packets_;
    MysqlPacket last_;      ///< what read() has read
    std::size_t heard_ = 0; ///< bytes of the answer
    bool tls_ = false, greeted_ = false;
};

} // namespace fairway::probes
