// The link between a process and the one that takes its place: short messages, some with descriptors.
//
//     new -> old  hello {protocol, version}
//     old -> new  hello {protocol, version, state, control}, sockets [descriptors] ..., lock [descriptor]
//     new -> old  prepared            the configuration is good, the databases are open
//     old -> new  yours {...}         I decide no more and write no more: what is on disk is all there is
//     new -> old  serving             I answer, too
//     old -> new  left {counters}     I read no more; again at the very end, with what came by TCP meanwhile
//     new -> old  failed {why}        at any time before `serving`; as good as its end
//
// A message is one datagram of JSON (SOCK_SEQPACKET) with at most `most_descriptors` beside it (SCM_RIGHTS).
// Words and fields that a version does not know it ignores; what cannot be understood that way needs another
// protocol number.
#pragma once

#include "daemon/fd.hpp"
#include "daemon/json_value.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::daemon {

struct TakeoverMessage {
    JsonValue body;
    std::vector<Fd> descriptors;
    std::string word() const { return body.text("word"); }
};

class TakeoverLink {
  public:
    static constexpr const char* protocol = "1";
    static constexpr std::size_t most_descriptors = 100; ///< the kernel takes 253 (unix(7))

    explicit TakeoverLink(Fd end) : end_(std::move(end)) {}
    /// False: the other end is gone.
    bool tell(std::string_view word, std::vector<JsonField> fields = {}, std::span<const int> beside = {});
    /// nullopt: nothing in time, the other end is gone, or `stop` was set.
    std::optional<TakeoverMessage> hear(std::chrono::milliseconds patience,
                                        const std::atomic<bool>* stop = nullptr);
    int descriptor() const { return end_.get(); }

  private:
    std::optional<TakeoverMessage> receive();
    Fd end_;
};

} // namespace fairway::daemon
