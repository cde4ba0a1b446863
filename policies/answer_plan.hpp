// The answer plan: what a service's name answers now, for whom, and for how long it may be kept.
//
// The one word that policies/ and dns/ share. Policies make it, dns/ compiles it to wire form.
#pragma once

#include "config/model.hpp"

#include <cstdint>
#include <vector>

namespace fairway {

/// A choice that is no one endpoint's: on_all_down `all` and `static`.
inline constexpr EndpointIndex no_endpoint = 0xffff;

/// One of the things an answer may be: the addresses of one endpoint that are fit to be answered.
struct Choice {
    EndpointIndex endpoint = 0;
    std::vector<IpAddress> addresses; ///< both families; a family without any is NODATA (L11)
    std::uint32_t weight = 1;         ///< of the draw; choices of weight 0 are not drawn
    std::optional<Name> cname{};      ///< answered instead of addresses, whatever is asked for
    bool operator==(const Choice&) const = default;
};

/// Choices that share clients, and how.
struct Pool {
    enum class How : std::uint8_t {
        draw,  ///< one an answer, by weight
        stick, ///< one a client network (config/rendezvous.hpp)
        all    ///< the addresses of all of them in one answer
    };
    struct Member {
        std::uint16_t choice = 0; ///< index into `choices`
        std::uint32_t weight = 1; ///< above 0
        std::uint64_t key = 0;    ///< stick: of the datacenter's name
        bool operator==(const Member&) const = default;
    };
    How how = How::draw;
    std::vector<Member> members;
    bool operator==(const Pool&) const = default;
};

struct AnswerPlan {
    enum class Kind : std::uint8_t {
        servfail,  ///< undecided at the start (L20), or everything is excluded by force (L19)
        nodata,    ///< only where the operator chose it (L8)
        draw,      ///< one choice an answer, by weight
        by_client, ///< the client's class names the choice
        pooled     ///< the client's class names a pool; or there is one for all
    };
    Kind kind = Kind::servfail;
    std::uint32_t ttl = 10; ///< seconds
    std::vector<Choice> choices;
    std::vector<std::uint16_t> by_client; ///< per ClientClassIndex: index into `choices`, or `pools`
    std::vector<Pool> pools{};            ///< pooled: at least one, each with a member; weights are theirs
    bool operator==(const AnswerPlan&) const = default;
};

} // namespace fairway
