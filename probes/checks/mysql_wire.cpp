#include "probes/checks/mysql_wire.hpp"

#include "probes/glue/digest.hpp"

namespace fairway::probes {

namespace {

constexpr std::size_t nonce_size = 20, head_size = 4;
constexpr unsigned char utf8mb4 = 45; // utf8mb4_general_ci, which both products know

enum Capability : std::uint32_t {
    long_password = 1,
    connect_with_db = 8,
    protocol_41 = 0x200,
    offers_tls = 0x800,
    secure_connection = 0x8000,
    plugin_auth = 0x80000
};
constexpr std::uint32_t needed = protocol_41 | secure_connection | plugin_auth;

/// Takes values from a payload; what is not there is nothing, and then so is all that follows.
class Taker {
  public:
    explicit Taker(std::string_view text) : text_(text) {}
    std::optional<std::string_view> octets(std::size_t n) {
        if (broken_ || text_.size() < n) return broken_ = true, std::nullopt;
        const std::string_view taken = text_.substr(0, n);
        text_.remove_prefix(n);
        return taken;
    }
    std::uint64_t number(std::size_t n) { // least octet first
        const auto taken = octets(n).value_or(std::string_view());
        std::uint64_t value = 0;
        for (std::size_t i = taken.size(); i > 0; --i)
            value = value << 8 | static_cast<unsigned char>(taken[i - 1]);
        return value;
    }
    std::string_view until_zero() {
        const std::size_t end = text_.find('\0');
        if (end == text_.npos) return octets(text_.size()).value_or(std::string_view());
        const auto taken = octets(end).value_or(std::string_view());
        octets(1);
        return taken;
    }
    /// A text with its length in front; nothing for NULL, too.
    std::optional<std::string_view> counted() {
        const std::uint64_t first = number(1);
        if (broken_ || first == 0xfb || first == 0xff) return std::nullopt;
        return octets(first < 0xfb ? first : number(first == 0xfc ? 2 : first == 0xfd ? 3 : 8));
    }
    bool is_null() const { return !text_.empty() && static_cast<unsigned char>(text_.front()) == 0xfb; }
    bool broken() const { return broken_; }
    bool over() const { return text_.empty(); }

  private:
    std::string_view text_;
    bool broken_ = false;
};

std::string octets(std::uint64_t n, int count) {
    std::string s;
    for (int i = 0; i < count; ++i) s += static_cast<char>((n >> (8 * i)) & 0xff);
    return s;
}

/// Capabilities, the largest packet, the character set and 23 zeros: both the request for TLS and a login
/// begin so.
std::string preamble(bool tls, bool dbname) {
    const std::uint32_t flags =
        needed | long_password | (tls ? offers_tls : 0U) | (dbname ? connect_with_db : 0U);
    return octets(flags, 4) + octets(MysqlPackets::longest, 4) + static_cast<char>(utf8mb4) +
           std::string(23, '\0');
}

std::string mixed(const std::string& a, const std::string& b) {
    std::string out = a;
    for (std::size_t i = 0; i < out.size() && i < b.size(); ++i) out[i] = static_cast<char>(out[i] ^ b[i]);
    return out;
}

} // namespace

std::optional<MysqlPacket> MysqlPackets::next() {
    if (buffer_.size() < head_size - 1) return std::nullopt;
    const std::size_t size = Taker(buffer_).number(head_size - 1); // the fourth is the packet's number
    if (size > longest) return oversize_ = true, std::nullopt;
    if (buffer_.size() < head_size + size) return std::nullopt;
    MysqlPacket p{static_cast<std::uint8_t>(buffer_[3]), buffer_.substr(head_size, size)};
    buffer_.erase(0, head_size + size);
    return p;
}

std::string framed(std::string_view payload, std::uint8_t number) {
    return octets(payload.size(), 3) + static_cast<char>(number) + std::string(payload);
}

std::optional<MysqlGreeting> greeting_in(std::string_view payload) {
    Taker t(payload);
    if (t.number(1) != 10) return std::nullopt; // the protocol's version since 1998
    t.until_zero();                             // the server's version
    t.octets(4);                                // the session's number
    MysqlGreeting g;
    g.nonce = t.octets(8).value_or("");
    t.octets(1);
    std::uint64_t flags = t.number(2);
    t.octets(3); // character set, status
    flags |= t.number(2) << 16;
    t.octets(1 + 10); // the nonce's length, which is always the same; nothing
    g.nonce += t.octets(nonce_size - 8).value_or("");
    if (t.broken()) return std::nullopt;
    t.octets(1);
    g.plugin = t.until_zero();
    g.tls = (flags & offers_tls) != 0;
    g.speaks = (flags & needed) == needed;
    return g;
}

std::optional<MysqlError> error_in(std::string_view payload) {
    Taker t(payload);
    if (t.number(1) != 0xff) return std::nullopt;
    MysqlError e;
    e.code = static_cast<unsigned>(t.number(2));
    if (t.broken()) return std::nullopt;
    std::string_view message = payload.substr(3);
    if (message.starts_with('#') && message.size() >= 6) message.remove_prefix(6); // the SQLSTATE
    e.message = message;
    return e;
}

bool is_end(std::string_view payload) {
    return payload.size() < 9 && !payload.empty() && static_cast<unsigned char>(payload.front()) == 0xfe;
}

std::string tls_request(bool dbname) { return preamble(true, dbname); }

std::string login_packet(const MysqlLogin& l) {
    std::string out = preamble(l.tls, !l.dbname.empty());
    out.append(l.user).append(1, '\0');
    out.append(1, static_cast<char>(l.proof.size())).append(l.proof);
    if (!l.dbname.empty()) out.append(l.dbname).append(1, '\0');
    return out.append(l.plugin).append(1, '\0');
}

std::optional<std::string> proof_of(std::string_view plugin, std::string_view password,
                                    std::string_view nonce) {
    if (plugin == "mysql_native_password") {
        if (password.empty()) return std::string();
        const std::string once = sha1(password);
        return mixed(once, sha1(std::string(nonce) + sha1(once)));
    }
    if (plugin == "caching_sha2_password") {
        if (password.empty()) return std::string();
        const std::string once = sha256(password);
        return mixed(once, sha256(sha256(once) + std::string(nonce)));
    }
    return std::nullopt;
}

std::optional<std::string> column_in(std::string_view payload) {
    Taker t(payload);
    for (int i = 0; i < 4; ++i) t.counted(); // catalog, schema, table, table before it was renamed
    const auto name = t.counted();
    return name ? std::optional(std::string(*name)) : std::nullopt;
}

std::optional<std::vector<std::optional<std::string>>> row_in(std::string_view payload, std::size_t columns) {
    Taker t(payload);
    std::vector<std::optional<std::string>> row;
    for (std::size_t i = 0; i < columns; ++i) {
        const bool null = t.is_null();
        const auto value = t.counted();
        if (t.broken() || (!value && !null)) return std::nullopt;
        row.push_back(value ? std::optional(std::string(*value)) : std::nullopt);
    }
    return t.over() ? std::optional(std::move(row)) : std::nullopt;
}

} // namespace fairway::probes
