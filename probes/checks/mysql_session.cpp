#include "probes/checks/mysql_session.hpp"

#include "probes/checks/opening.hpp"
#include "probes/checks/tools.hpp"

#include <utility>

namespace fairway::probes {

namespace {

constexpr char com_quit = 1, com_query = 3;
constexpr char public_key_wanted = 4, proof_known = 3; // of caching_sha2_password: what it says beside OK
constexpr std::size_t most_columns = 256;              // SHOW ALL SLAVES STATUS has 60
constexpr std::size_t longest_answer = 1 << 20;        // bytes; what is asked for is some thousand

/// The server's error codes (mysqld_error.h): what they say of it, or of us.
Reason reason_of(unsigned code) {
    switch (code) {
    case 1040: // too many connections: it turns clients away, too
    case 1203: // too many of this user's
    case 1226: // the user's limit
    case 3032: // offline mode
        return Reason::reported_down;
    case 1044: // no access to the database
    case 1045: // access denied
    case 1049: // no such database
    case 1129: // host blocked
    case 1130: // host not allowed
    case 1142: // no access to the table
    case 1227: // a privilege is missing
    case 1251: // it wants to be convinced in another way
    case 1698: // access denied, without a password
    case 1820: // the password must be changed
    case 1862: // the password has expired
    case 3118: // the account is locked: MySQL
    case 4151: // MariaDB
        return Reason::auth_failure;
    case 1047: // WSREP has not yet prepared node for application use
        return Reason::no_quorum;
    case 1053: // shutdown in progress
    case 1927: // connection killed
        return Reason::closed;
    case 3168: // not available yet
        return Reason::starting;
    default: return Reason::bad_response;
    }
}

MysqlAnswer failed(Reason reason, std::string detail) {
    MysqlAnswer a;
    a.reason = reason;
    a.detail = std::move(detail);
    return a;
}

MysqlAnswer failed(const MysqlError& e) {
    MysqlAnswer a = failed(reason_of(e.code), e.message + " (" + std::to_string(e.code) + ")");
    a.code = e.code;
    return a;
}

TlsSettings settings_of(const MysqlCheck& c) {
    TlsSettings s;
    s.verify = c.tls == SslMode::verify_full ? TlsSettings::Verify::full
               : c.tls == SslMode::verify_ca ? TlsSettings::Verify::ca
                                             : TlsSettings::Verify::none;
    s.ca_file = c.ca_file;
    s.cert_file = c.cert_file;
    s.key_file = c.key_file;
    return s;
}

std::string name_of(const Look& at) {
    if (const auto* target = std::get_if<std::string>(&at.spec.target)) return *target;
    return at.spec.sni.empty() ? at.address.ip.to_string() : at.spec.sni;
}

} // namespace

MysqlSession::MysqlSession(const MysqlCheck& check, std::string password, Look at)
    : check_(check), password_(std::move(password)), at_(at) {}

Task<MysqlAnswer> MysqlSession::open() {
    Task<Opened> opening = open_stream(at_, nullptr, {});
    Opened opened = co_await opening;
    if (!opened.stream) co_return failed(opened.problem.reason, opened.problem.detail);
    stream_.emplace(std::move(*opened.stream));

    at_.silence = Reason::timeout_first_byte;
    Task<MysqlAnswer> reading = read();
    MysqlAnswer a = co_await reading;
    if (a.reason != Reason::ok) co_return a;
    std::optional<MysqlGreeting> greeting = greeting_in(last_.payload);
    if (!greeting) co_return failed(Reason::bad_response, "no greeting of MySQL's");
    greeted_ = true;
    if (!greeting->speaks) co_return failed(Reason::bad_response, "a protocol older than MySQL 5.5");

    Task<MysqlAnswer> securing = secure(greeting->tls);
    a = co_await securing;
    if (a.reason != Reason::ok) co_return a;
    Task<MysqlAnswer> logging_in = log_in(std::move(*greeting));
    co_return co_await logging_in;
}

/// Goes over to TLS where that is wanted.
Task<MysqlAnswer> MysqlSession::secure(bool offered) {
    MysqlAnswer a;
    if (check_.tls == SslMode::off || (check_.tls == SslMode::prefer && !offered)) co_return a;
    if (!offered) co_return failed(Reason::tls_failure, "the server offers no TLS");
    Task<MysqlAnswer> asking =
        write(tls_request(!check_.dbname.empty()), static_cast<std::uint8_t>(last_.number + 1));
    a = co_await asking;
    if (a.reason != Reason::ok) co_return a;
    ++last_.number;
    at_.silence = Reason::timeout_tls;
    const TlsSettings settings = settings_of(check_);
    Task<Heard> shaking = stream_->start_tls(at_.tools.tls, settings, name_of(at_));
    const Heard shaken = co_await shaking;
    at_.silence = Reason::timeout_first_byte;
    tls_ = true;
    if (shaken.reason != Reason::ok) co_return failed(shaken.reason, shaken.detail);
    co_return a;
}

Task<MysqlAnswer> MysqlSession::log_in(MysqlGreeting greeting) {
    std::optional<std::string> proof = proof_of(greeting.plugin, password_, greeting.nonce);
    if (!proof) { // then the server asks for the one this user has
        greeting.plugin = "mysql_native_password";
        proof = proof_of(greeting.plugin, password_, greeting.nonce);
    }
    MysqlLogin login;
    login.user = check_.user;
    login.dbname = check_.dbname;
    login.plugin = greeting.plugin;
    login.proof = *proof;
    login.tls = tls_;
    Task<MysqlAnswer> saying = write(login_packet(login), static_cast<std::uint8_t>(last_.number + 1));
    const MysqlAnswer said = co_await saying;
    if (said.reason != Reason::ok) co_return said;
    Task<MysqlAnswer> proving = prove(greeting.plugin, greeting.nonce);
    co_return co_await proving;
}

/// Answers what the server says to a login, until it lets us in or not.
Task<MysqlAnswer> MysqlSession::prove(std::string plugin, std::string nonce) {
    for (bool switched = false;;) {
        Task<MysqlAnswer> reading = read();
        const MysqlAnswer a = co_await reading;
        if (a.reason != Reason::ok) co_return a;
        const std::string& p = last_.payload;
        const auto number = static_cast<std::uint8_t>(last_.number + 1);
        const char kind = p.empty() ? '\x7f' : p.front();
        std::string reply;
        if (kind == '\0') co_return a; // OK
        if (kind == '\1' && p.size() == 2 && p[1] == proof_known) continue;
        if (kind == '\1' && p.size() == 2 && p[1] == public_key_wanted) {
            if (!tls_)
                co_return failed(Reason::auth_failure,
                                 "this account, of " + plugin + ", needs TLS to log in");
            reply = password_ + '\0';
        } else if (kind == '\xfe' && !switched) {
            switched = true; // "AuthSwitchRequest"
            const std::size_t end = std::min(p.find('\0'), p.size());
            plugin = p.substr(1, end - 1);
            nonce = end < p.size() ? p.substr(end + 1) : std::string();
            if (!nonce.empty() && nonce.back() == '\0') nonce.pop_back();
            const auto proof = proof_of(plugin, password_, nonce);
            if (!proof) co_return failed(Reason::auth_failure, "cannot log in by " + plugin);
            reply = *proof;
        } else {
            co_return failed(Reason::bad_response, "no answer to a login");
        }
        Task<MysqlAnswer> saying = write(std::move(reply), number);
        const MysqlAnswer said = co_await saying;
        if (said.reason != Reason::ok) co_return said;
    }
}

Task<MysqlAnswer> MysqlSession::ask(std::string sql) {
    heard_ = 0;
    at_.silence = Reason::timeout_first_byte;
    Task<MysqlAnswer> asking = write(com_query + sql, 0);
    MysqlAnswer a = co_await asking;
    if (a.reason != Reason::ok) co_return a;

    Task<MysqlAnswer> counting = read();
    a = co_await counting;
    if (a.reason != Reason::ok) co_return a;
    const std::size_t width = last_.payload.size() == 1 ? static_cast<unsigned char>(last_.payload[0]) : 0;
    if (width == 0 || width > most_columns) co_return failed(Reason::bad_response, "no rows were answered");

    for (int part = 0; part < 2;) { // the columns, and an end; the rows, and an end
        Task<MysqlAnswer> reading = read();
        const MysqlAnswer one = co_await reading;
        if (one.reason != Reason::ok) co_return one;
        if (is_end(last_.payload)) {
            ++part;
            continue;
        }
        auto column = part == 0 ? column_in(last_.payload) : std::nullopt;
        auto row = part == 0 ? std::nullopt : row_in(last_.payload, width);
        if (column) a.columns.push_back(std::move(*column));
        else if (row) a.rows.push_back(std::move(*row));
        else co_return failed(Reason::bad_response, "an answer of another shape");
    }
    if (a.columns.size() != width) co_return failed(Reason::bad_response, "an answer of another shape");
    co_return a;
}

/// The next packet goes to last_; an error of the server's is one here.
Task<MysqlAnswer> MysqlSession::read() {
    MysqlAnswer a;
    for (;;) {
        if (std::optional<MysqlPacket> p = packets_.next()) {
            last_ = std::move(*p);
            if (const auto error = error_in(last_.payload)) co_return failed(*error);
            co_return a;
        }
        if (packets_.oversize() || heard_ > longest_answer)
            co_return failed(greeted_ ? Reason::oversize_body : Reason::bad_response,
                             "more than can be meant");
        Task<Heard> reading = stream_->read();
        const Heard more = co_await reading;
        if (more.reason != Reason::ok) co_return failed(more.reason, more.detail);
        if (more.text.empty()) co_return failed(Reason::closed, "ended in the middle of the session");
        heard_ += more.text.size();
        packets_.feed(more.text);
    }
}

Task<MysqlAnswer> MysqlSession::write(std::string payload, std::uint8_t number) {
    MysqlAnswer a;
    Task<Heard> writing = stream_->write(framed(payload, number));
    const Heard written = co_await writing;
    if (written.reason == Reason::ok) co_return a;
    co_return failed(written.reason, written.detail);
}

namespace {
Task<void> say_goodbye(Stream stream) {
    Task<Heard> writing = stream.write(framed(std::string(1, com_quit), 0));
    co_await writing;
    Task<void> closing = Stream::close(std::move(stream));
    co_await closing;
}
} // namespace

void MysqlSession::leave() { at_.tools.closing.spawn(say_goodbye(std::move(*stream_))); }

} // namespace fairway::probes
