// The answers of one batch on their way out. Those of one length to one peer leave as one message that the
// kernel, or the network card, cuts into datagrams (UDP_SEGMENT, udp(7)): a send costs more than an answer.
//
// Where the kernel refuses to cut (no checksum offload on the way, a path narrower than an answer), they
// leave one by one. Belongs to a UDP worker; allocates nothing.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

namespace fairway::dns {

class UdpOutbox {
  public:
    /// Answers between two sends. No more segments go into one message (UDP_MAX_SEGMENTS before Linux 6.9).
    static constexpr unsigned capacity = 64;

    /// `peer` (the start of a sockaddr_in for IPv4) and `data` stay where they are until send().
    void add(const sockaddr_in6& peer, std::uint8_t* data, std::size_t size) noexcept;

    /// Sends and forgets them all. Returns how many answers the kernel would not take.
    unsigned send(int fd) noexcept;

    /// Messages handed to the kernel by the last send(), refused ones included.
    unsigned messages() const { return messages_; }

  private:
    // Answers of one length to one peer, as they came, and perhaps a shorter one at the end.
    struct Group {
        const sockaddr_in6* peer;
        std::uint32_t bytes;
        std::uint16_t size; // of each answer but the tail
        std::uint8_t count, first, last;
        std::uint8_t sibling; // the peer's groups stand in a ring
        bool has_tail, is_tail;
    };
    static constexpr unsigned slots = 2 * capacity; // half full at most: a look or two finds a peer

    std::uint8_t& slot_of(const sockaddr_in6& peer) noexcept;
    void append(Group& group, std::uint8_t answer) noexcept;
    void make_tail(std::uint8_t single) noexcept;
    void lay_out(const Group& group, bool segmented) noexcept;
    void put_message(const Group& group, std::size_t answers) noexcept;
    unsigned send_messages(int fd) noexcept;

    iovec answers_[capacity];
    std::uint8_t next_[capacity]; // answer of the same group
    Group groups_[capacity];
    std::uint8_t slots_[slots] = {}; // one of the peer's groups, plus one; 0: free
    unsigned count_ = 0, group_count_ = 0, messages_ = 0, iov_count_ = 0;
    unsigned resting_ = 0; // sends to go without segments after a refusal

    iovec iov_[capacity];
    mmsghdr out_[capacity];
    alignas(cmsghdr) char control_[capacity][CMSG_SPACE(sizeof(std::uint16_t))];
};

} // namespace fairway::dns
