// dns: a name server answers a question, with the rcode and the records it should.
#include "config/counted.hpp"
#include "probes/async/race.hpp"
#include "probes/checks/check.hpp"
#include "probes/checks/tools.hpp"
#include "probes/glue/dns_message.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <sys/socket.h>

namespace fairway::probes {

namespace {

constexpr std::size_t udp_limit =
    4096; // bytes; we say nothing of EDNS, so 512 are enough for a server that knows

/// RFC 1035, RFC 2136.
constexpr std::array<const char*, 11> rcodes{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                             "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                             "NXRRSET", "NOTAUTH", "NOTZONE"};

DnsQuestion question_of(const DnsCheck& check) {
    thread_local std::mt19937 random(std::random_device{}());
    return {check.name, check.type, static_cast<std::uint16_t>(random())};
}

Finding judge(const DnsCheck& check, const DnsReply& reply) {
    const std::string rcode = reply.rcode < rcodes.size() ? rcodes[reply.rcode] : std::to_string(reply.rcode);
    if (rcode != check.rcode) return because(Reason::wrong_status, rcode);
    if (!reply.missing.empty()) return because(Reason::body_mismatch, rcode + ", without " + reply.missing);
    return pass(rcode + ", " + counted(reply.answers, "record"));
}

/// The next datagram that bears the question's id; others are of somebody else's making.
Task<Heard> receive(Loop& loop, int fd, const std::string& query, const SocketAddress& from) {
    std::array<char, udp_limit> buffer;
    Heard heard;
    for (;;) {
        co_await Ready(loop, fd, Loop::readable);
        const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
        if (n < 0 && errno != EAGAIN) {
            heard.reason = reason_of_errno(errno, from);
            heard.detail = std::strerror(errno);
            co_return heard;
        }
        if (n >= 2 && std::memcmp(buffer.data(), query.data(), 2) == 0) {
            heard.text.assign(buffer.data(), static_cast<std::size_t>(n));
            co_return heard;
        }
    }
}

/// Asks again every third of the time there is: a lost datagram is no news of the server.
Task<Heard> ask_by_datagram(Look at, std::string query) {
    const Connection c = connect_datagram(at.address, at.source());
    Heard failed;
    for (int error = c.error;;) {
        if (error == 0 && send(c.socket.fd(), query.data(), query.size(), 0) < 0) error = errno;
        if (error != 0) {
            failed.reason = reason_of_errno(error, at.address);
            failed.detail = std::strerror(error);
            co_return failed;
        }
        Task<Heard> receiving = receive(at.loop(), c.socket.fd(), query, at.address);
        Task<std::optional<Heard>> limited =
            with_timeout(at.loop(), at.spec.check->timing.timeout / 3, std::move(receiving));
        std::optional<Heard> heard = co_await limited;
        if (heard) co_return std::move(*heard);
    }
}

/// RFC 7766: the same message behind its length in two octets.
Task<Heard> ask_by_stream(Look at, std::string query) {
    at.silence = Reason::timeout_connect;
    Task<Connection> connecting = connect(at.loop(), at.address, at.route());
    Connection c = co_await connecting;
    Heard heard;
    if (!c.stands()) {
        heard.reason = c.reason(at.address);
        heard.detail = c.text();
        co_return heard;
    }
    Stream stream(at.loop(), std::move(c.socket), at.address);
    at.silence = Reason::timeout_first_byte;
    const std::string length{static_cast<char>(query.size() >> 8), static_cast<char>(query.size() & 0xff)};
    Task<Heard> writing = stream.write(length + query);
    heard = co_await writing;
    const auto whole = [](const std::string& s) {
        const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
        return s.size() >= 2 && s.size() - 2 >= (octet(0) * 256U + octet(1));
    };
    std::string came;
    while (heard.reason == Reason::ok && !whole(came)) {
        Task<Heard> reading = stream.read();
        heard = co_await reading;
        if (heard.reason == Reason::ok && heard.text.empty()) {
            heard.reason = Reason::closed;
            heard.detail = "ended before the reply's end";
        }
        at.silence = Reason::timeout_body;
        came += heard.text;
    }
    if (heard.reason == Reason::ok) heard.text = came.substr(2);
    at.tools.closing.spawn(Stream::close(std::move(stream)));
    co_return heard;
}

} // namespace

Task<Finding> look(const DnsCheck& check, Look at) {
    const DnsQuestion question = question_of(check);
    const std::string query = dns_query(question);
    if (query.empty()) co_return because(Reason::internal, "no such question");
    at.silence = Reason::timeout_first_byte;
    Task<Heard> asking = ask_by_datagram(at, query);
    Heard heard = co_await asking;
    std::optional<DnsReply> reply;
    if (heard.reason == Reason::ok) reply = read_dns_reply(heard.text, question, check.data);
    if (reply && reply->truncated) {
        Task<Heard> again = ask_by_stream(at, query);
        heard = co_await again;
        reply = heard.reason == Reason::ok ? read_dns_reply(heard.text, question, check.data) : std::nullopt;
    }
    if (heard.reason != Reason::ok) co_return because(heard.reason, heard.detail);
    if (!reply) co_return because(Reason::bad_response, "not a reply to the question");
    co_return judge(check, *reply);
}

} // namespace fairway::probes
