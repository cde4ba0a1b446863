#include "daemon/takeover_link.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace fairway::daemon {

using namespace std::chrono_literals;

namespace {

/// Counters are some ten kilobytes; beyond the socket's buffer (208 KiB) the kernel refuses a message whole.
constexpr std::size_t most_message = 192 * 1024;
constexpr std::size_t room = CMSG_SPACE(sizeof(int) * TakeoverLink::most_descriptors);

std::vector<Fd> descriptors_of(msghdr& message) {
    std::vector<Fd> found;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < n; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            found.emplace_back(fd);
        }
    }
    return found;
}

}

bool TakeoverLink::tell(std::string_view word, std::vector<JsonField> fields, std::span<const int> beside) {
    fields.insert(fields.begin(), {"word", std::string(word)});
    std::string text = json_object(fields);
    iovec data{text.data(), text.size()};
    alignas(cmsghdr) std::array<char, room> space{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (!beside.empty()) {
        message.msg_control = space.data();
        message.msg_controllen = CMSG_SPACE(beside.size_bytes());
        cmsghdr* c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(beside.size_bytes());
        std::memcpy(CMSG_DATA(c), beside.data(), beside.size_bytes());
    }
    return sendmsg(end_.get(), &message, MSG_NOSIGNAL) >= 0;
}

std::optional<TakeoverMessage> TakeoverLink::receive() {
    std::string text(most_message, '\0');
    iovec data{text.data(), text.size()};
    alignas(cmsghdr) std::array<char, room> space{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
    const ssize_t n = recvmsg(end_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n <= 0) return std::nullopt;
    TakeoverMessage m{{}, descriptors_of(message)};
    m.body =
        JsonValue::parse(std::string_view(text).substr(0, static_cast<std::size_t>(n))).value_or(JsonValue());
    return m;
}

std::optional<TakeoverMessage> TakeoverLink::hear(std::chrono::milliseconds patience,
                                                  const std::atomic<bool>* stop) {
    using Clock = std::chrono::steady_clock;
    constexpr auto look_up = 100ms; // whether we are to stop
    const auto end = Clock::now() + patience;
    for (auto now = Clock::now(); now < end && !(stop && *stop); now = Clock::now()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now);
        pollfd fd{end_.get(), POLLIN, 0};
        const int n =
            poll(&fd, 1, static_cast<int>(std::min<std::chrono::milliseconds>(left, look_up).count()));
        if (n > 0) return receive();
        if (n < 0 && errno != EINTR) return std::nullopt;
    }
    return std::nullopt;
}

} // namespace fairway::daemon
