#include "dns/udp_outbox.hpp"

#include "dns/folded_name.hpp"

#include <netinet/udp.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace fairway::dns {
namespace {

// What fits an IPv4 datagram before it is cut: 65,535 less the IP and UDP headers.
constexpr std::size_t max_bytes = 65'507;
// After a refusal: long enough that asking again costs nothing, short enough to notice a changed route.
constexpr unsigned rest_after_refusal = 1024;

// The kernel's words for "not in segments": no checksum offload, a narrow path, no such option.
bool refuses_segments(int error) {
    return error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP;
}

const std::uint8_t* octets(const sockaddr_in6& a) { return reinterpret_cast<const std::uint8_t*>(&a); }

// Family, port and IPv4 address are the first eight octets of either form.
bool same_peer(const sockaddr_in6& a, const sockaddr_in6& b) {
    if (load64(octets(a)) != load64(octets(b))) return false;
    return a.sin6_family != AF_INET6 || std::memcmp(&a, &b, sizeof a) == 0;
}

unsigned send_singly(int fd, const msghdr& message) {
    unsigned failed = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
        msghdr one{};
        one.msg_name = message.msg_name;
        one.msg_namelen = message.msg_namelen;
        one.msg_iov = message.msg_iov + i;
        one.msg_iovlen = 1;
        failed += sendmsg(fd, &one, 0) < 0;
    }
    return failed;
}

} // namespace

inline std::uint8_t& UdpOutbox::slot_of(const sockaddr_in6& peer) noexcept {
    std::uint64_t hash = mix(hash_start, load64(octets(peer)));
    if (peer.sin6_family == AF_INET6) hash = mix(hash, load64(octets(peer) + 16)); // the interface identifier
    std::size_t i = hash % slots;
    while (slots_[i] && !same_peer(*groups_[slots_[i] - 1].peer, peer)) i = (i + 1) % slots;
    return slots_[i];
}

inline void UdpOutbox::append(Group& group, std::uint8_t answer) noexcept {
    if (group.count) next_[group.last] = answer;
    else group.first = answer;
    group.last = answer;
    ++group.count;
    group.bytes += static_cast<std::uint32_t>(answers_[answer].iov_len);
}

void UdpOutbox::add(const sockaddr_in6& peer, std::uint8_t* data, std::size_t size) noexcept {
    const auto answer = static_cast<std::uint8_t>(count_++);
    answers_[answer] = {data, size};
    std::uint8_t& slot = slot_of(peer);
    const auto head = static_cast<std::uint8_t>(slot - 1); // where there is one
    if (slot) {
        std::uint8_t g = head;
        do {
            if (groups_[g].size == size && groups_[g].bytes + size <= max_bytes)
                return append(groups_[g], answer);
            g = groups_[g].sibling;
        } while (g != head);
    }
    const auto fresh = static_cast<std::uint8_t>(group_count_++);
    Group& group = groups_[fresh];
    group = {&peer, 0, static_cast<std::uint16_t>(size), 0, 0, 0, fresh, false, false};
    if (slot) std::swap(group.sibling, groups_[head].sibling);
    append(group, answer);
    slot = static_cast<std::uint8_t>(fresh + 1);
}

// The last segment may be shorter, so a lone answer ends a message of longer ones to its peer.
void UdpOutbox::make_tail(std::uint8_t single) noexcept {
    Group& lone = groups_[single];
    if (lone.count > 1) return;
    for (std::uint8_t g = lone.sibling; g != single; g = groups_[g].sibling) {
        Group& host = groups_[g];
        if (host.size < lone.size || host.has_tail || host.is_tail || host.bytes + lone.size > max_bytes)
            continue;
        append(host, lone.first);
        host.has_tail = lone.is_tail = true;
        return;
    }
}

void UdpOutbox::lay_out(const Group& group, bool segmented) noexcept {
    std::uint8_t answer = group.first;
    for (unsigned n = group.count; n; --n, answer = next_[answer]) {
        iov_[iov_count_++] = answers_[answer];
        if (!segmented) put_message(group, 1);
    }
    if (segmented) put_message(group, group.count);
}

void UdpOutbox::put_message(const Group& group, std::size_t answers) noexcept {
    msghdr& h = out_[messages_].msg_hdr;
    h = {};
    h.msg_name = const_cast<sockaddr_in6*>(group.peer);
    h.msg_namelen = group.peer->sin6_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    h.msg_iov = &iov_[iov_count_ - answers];
    h.msg_iovlen = answers;
    if (answers > 1) {
        h.msg_control = control_[messages_];
        h.msg_controllen = sizeof control_[messages_];
        cmsghdr* const c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof group.size);
        std::memcpy(CMSG_DATA(c), &group.size, sizeof group.size);
    }
    ++messages_;
}

unsigned UdpOutbox::send(int fd) noexcept {
    const bool segmented = resting_ == 0;
    if (!segmented) --resting_;
    messages_ = iov_count_ = 0;
    if (segmented)
        for (unsigned g = 0; g < group_count_; ++g) make_tail(static_cast<std::uint8_t>(g));
    for (unsigned g = 0; g < group_count_; ++g)
        if (!groups_[g].is_tail) lay_out(groups_[g], segmented);
    count_ = group_count_ = 0;
    std::memset(slots_, 0, sizeof slots_);
    return send_messages(fd);
}

unsigned UdpOutbox::send_messages(int fd) noexcept {
    unsigned failed = 0;
    for (unsigned sent = 0; sent < messages_;) {
        const int more = sendmmsg(fd, out_ + sent, messages_ - sent, 0);
        if (more > 0) {
            sent += static_cast<unsigned>(more);
            continue;
        }
        if (errno == EINTR) continue;
        const msghdr& refused = out_[sent++].msg_hdr; // the first one left; the rest may still go
        if (refused.msg_iovlen == 1) {
            ++failed;
            continue;
        }
        if (refuses_segments(errno)) resting_ = rest_after_refusal;
        failed += send_singly(fd, refused);
    }
    return failed;
}

} // namespace fairway::dns
