// The packets of the MySQL client/server protocol that a check needs (MySQL internals, "Client/Server
// Protocol"; MariaDB documentation, "Clients & Servers protocol"). Nothing here waits or trusts a length.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::probes {

struct MysqlPacket {
    std::uint8_t number = 0; ///< counted up, packet by packet, from 0 at each command
    std::string payload;
};

/// Puts packets together from what comes in. Nothing beyond its bound is held.
class MysqlPackets {
  public:
    static constexpr std::size_t longest = 65536; ///< bytes of one; what is asked for is some thousand

    void feed(std::string_view text) { buffer_ += text; }
    std::optional<MysqlPacket> next(); ///< nothing: it is not all there, or `oversize`
    bool oversize() const { return oversize_; }

  private:
    std::string buffer_;
    bool oversize_ = false;
};
std::string framed(std::string_view payload, std::uint8_t number);

/// What a server says first.
struct MysqlGreeting {
    std::string nonce;   ///< 20 octets to mix into the password
    std::string plugin;  ///< how it would have us log in
    bool tls = false;    ///< it offers TLS
    bool speaks = false; ///< what we need of the protocol: that of MySQL 5.5 and all MariaDB
};
std::optional<MysqlGreeting> greeting_in(std::string_view payload);

struct MysqlError {
    unsigned code = 0;
    std::string message;
};
std::optional<MysqlError> error_in(std::string_view payload);
bool is_end(std::string_view payload); ///< an EOF packet

/// A request to go on in TLS; the login follows there.
std::string tls_request(bool dbname);
struct MysqlLogin {
    std::string_view user, dbname, plugin, proof;
    bool tls = false;
};
std::string login_packet(const MysqlLogin& login);

/// What proves a password without telling it; nothing: a way that we do not go.
std::optional<std::string> proof_of(std::string_view plugin, std::string_view password,
                                    std::string_view nonce);

/// Columns' name in a definition, and a row's values; nothing: it is none.
std::optional<std::string> column_in(std::string_view payload);
std::optional<std::vector<std::optional<std::string>>> row_in(std::string_view payload, std::size_t columns);

} // namespace fairway::probes
