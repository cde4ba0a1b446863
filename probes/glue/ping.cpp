#include "probes/glue/ping.hpp"

#include "probes/async/wait.hpp"
#include "probes/glue/socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <optional>
#include <random>
#include <span>
#include <sys/socket.h>
#include <utility>

// After netinet/in.h, which they would hide part of.
#include <linux/errqueue.h>
#include <linux/icmp.h>

namespace fairway::probes {

namespace {

/// Of an echo request or reply, the same in both families (RFC 792, RFC 4443 section 4).
struct Header {
    std::uint8_t type = 0, code = 0;
    std::uint16_t checksum = 0; // network order, as the next ones
    std::uint16_t id = 0, sequence = 0;
};
struct Packet {
    Header header;
    std::array<char, 8> payload{'f', 'a', 'i', 'r', 'w', 'a', 'y', 0}; // whose it is, for who wonders
};

using Place = std::pair<IpAddress, std::uint16_t>; // whom, sequence

/// RFC 1071.
std::uint16_t checksum(const Packet& p) {
    std::array<std::uint16_t, sizeof p / 2> words;
    std::memcpy(words.data(), &p, sizeof p);
    std::uint32_t sum = 0;
    for (const std::uint16_t w : words) sum += w;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

/// One family's socket. Ordinary ones of the kernel's ping protocol see their own replies only; a raw one
/// sees every host's, in IPv4 with the IP header in front.
class Pinger {
  public:
    Pinger(Loop& loop, Family family, std::function<void(const Place&, Echo)> heard);
    int error() const { return error_; } ///< errno: there is no socket
    int send(const IpAddress& to, std::uint16_t sequence, const std::optional<IpAddress>& from);

  private:
    void open();
    void arm();
    void read();
    bool read_error();
    void take(std::span<const char> packet, const IpAddress& from);

    Loop& loop_;
    const Family family_;
    std::function<void(const Place&, Echo)> heard_;
    bool raw_ = false;
    const std::uint16_t id_ = static_cast<std::uint16_t>(std::random_device()());
    int error_ = 0;
    Socket socket_;
    Loop::HandlePtr watch_;
};

Pinger::Pinger(Loop& loop, Family family, std::function<void(const Place&, Echo)> heard)
    : loop_(loop), family_(family), heard_(std::move(heard)) {
    open();
    if (socket_) arm();
}

void Pinger::open() {
    const bool v4 = family_ == Family::v4;
    const int domain = v4 ? AF_INET : AF_INET6, protocol = v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
    socket_ = Socket(socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
    if (!socket_) {
        socket_ = Socket(socket(domain, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
        raw_ = true;
    }
    if (!socket_) {
        error_ = errno;
        return;
    }
    const int on = 1;
    setsockopt(socket_.fd(), v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6}, v4 ? IP_RECVERR : IPV6_RECVERR, &on,
               sizeof on);
    if (!raw_) return;
    if (v4) {
        const icmp_filter only{~(1U << ICMP_ECHOREPLY)};
        setsockopt(socket_.fd(), SOL_RAW, ICMP_FILTER, &only, sizeof only);
    } else {
        icmp6_filter only{};
        ICMP6_FILTER_SETBLOCKALL(&only);
        ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
        setsockopt(socket_.fd(), IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof only);
    }
}

/// A watch that has seen an error sees nothing more, so after each of them it is made anew.
void Pinger::arm() {
    watch_.reset();
    watch_ = loop_.watch(socket_.fd(), Loop::readable, [this](unsigned seen) {
        while (read_error()) {}
        read();
        if (seen & Loop::writable) arm();
    });
}

int Pinger::send(const IpAddress& to, std::uint16_t sequence, const std::optional<IpAddress>& from) {
    const bool v4 = family_ == Family::v4;
    Packet p;
    p.header.type = v4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST};
    p.header.id = id_;
    p.header.sequence = htons(sequence);
    if (v4) p.header.checksum = checksum(p); // the kernel does it for the others
    RawAddress address = raw({to, 0});
    iovec data{&p, sizeof p};
    msghdr m{};
    m.msg_name = &address.storage;
    m.msg_namelen = address.size;
    m.msg_iov = &data;
    m.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    if (from) {
        in_pktinfo info4{};
        in6_pktinfo info6{};
        std::memcpy(&info4.ipi_spec_dst, from->bytes.data(), 4);
        std::memcpy(&info6.ipi6_addr, from->bytes.data(), 16);
        const std::size_t size = v4 ? sizeof info4 : sizeof info6;
        m.msg_control = control.data();
        m.msg_controllen = CMSG_SPACE(size);
        cmsghdr* c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6};
        c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(c), v4 ? static_cast<const void*>(&info4) : &info6, size);
    }
    pending_error(socket_.fd()); // of another request, and told by the error queue
    return sendmsg(socket_.fd(), &m, 0) < 0 ? errno : 0;
}

void Pinger::read() {
    std::array<char, 512> buffer; // more than our requests come back as
    for (;;) {
        RawAddress from;
        from.size = sizeof from.storage;
        const ssize_t n = recvfrom(socket_.fd(), buffer.data(), buffer.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from.storage), &from.size);
        if (n < 0) return; // nothing more, or an error that the error queue has told
        std::span<const char> packet(buffer.data(), static_cast<std::size_t>(n));
        if (raw_ && family_ == Family::v4) {
            const std::size_t skip = packet.empty() ? 0 : static_cast<std::size_t>(packet[0] & 15) * 4;
            packet = packet.subspan(std::min(skip, packet.size()));
        }
        if (const auto ip = address_in(from)) take(packet, *ip);
    }
}

void Pinger::take(std::span<const char> packet, const IpAddress& from) {
    Header h;
    if (packet.size() < sizeof h) return;
    std::memcpy(&h, packet.data(), sizeof h);
    const bool reply = h.type == (family_ == Family::v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY);
    if (reply && (!raw_ || h.id == id_)) heard_({from, ntohs(h.sequence)}, Echo{});
}

/// What a router or this host said of a request, with its first bytes. False: there is nothing more.
bool Pinger::read_error() {
    std::array<char, 512> buffer;
    alignas(cmsghdr) std::array<char, 512> control{};
    RawAddress to;
    iovec data{buffer.data(), buffer.size()};
    msghdr m{};
    m.msg_name = &to.storage;
    m.msg_namelen = sizeof to.storage;
    m.msg_iov = &data;
    m.msg_iovlen = 1;
    m.msg_control = control.data();
    m.msg_controllen = control.size();
    const ssize_t n = recvmsg(socket_.fd(), &m, MSG_ERRQUEUE);
    if (n < 0) return false;
    Header h;
    const auto ip = address_in(to);
    if (!ip || static_cast<std::size_t>(n) < sizeof h) return true;
    std::memcpy(&h, buffer.data(), sizeof h);
    for (cmsghdr* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_type != IP_RECVERR && c->cmsg_type != IPV6_RECVERR) continue;
        sock_extended_err e{};
        std::memcpy(&e, CMSG_DATA(c), sizeof e);
        const int error = static_cast<int>(e.ee_errno);
        heard_({*ip, ntohs(h.sequence)}, Echo{reason_of_errno(error, {*ip, 0}), std::strerror(error)});
    }
    return true;
}

} // namespace

struct Ping::Impl {
    Loop& loop;
    std::map<Place, Completion<Echo>::Setter> waiting;
    std::optional<Pinger> v4, v6;
    std::uint16_t sequence = 0;

    explicit Impl(Loop& l) : loop(l) {}
    Pinger& pinger(Family f) {
        auto& p = f == Family::v4 ? v4 : v6;
        if (!p || p->error() != 0)
            p.emplace(loop, f, [this](const Place& at, Echo e) {
                if (const auto w = waiting.find(at); w != waiting.end()) w->second(std::move(e));
            });
        return *p;
    }
};

namespace {

struct Waiting {
    Ping::Impl& ping;
    Place place;
    ~Waiting() { ping.waiting.erase(place); }
};

Echo without_socket(int error) {
    if (error != EACCES && error != EPERM) return {reason_of_errno(error, {}), std::strerror(error)};
    return {Reason::internal, "no right to send ICMP: set net.ipv4.ping_group_range, or give CAP_NET_RAW"};
}

} // namespace

Ping::Ping(Loop& loop) : impl_(std::make_unique<Impl>(loop)) {}
Ping::~Ping() = default;

Task<Echo> Ping::echo(IpAddress to, std::optional<IpAddress> from) {
    Pinger& pinger = impl_->pinger(to.family);
    if (pinger.error() != 0) co_return without_socket(pinger.error());
    const Waiting waiting{*impl_, {to, ++impl_->sequence}};
    Completion<Echo> answer(impl_->loop);
    impl_->waiting.insert_or_assign(waiting.place, answer.setter());
    if (const int error = pinger.send(to, waiting.place.second, from); error != 0)
        co_return Echo{reason_of_errno(error, {to, 0}), std::strerror(error)};
    Echo echo = co_await answer;
    co_return echo;
}

} // namespace fairway::probes
