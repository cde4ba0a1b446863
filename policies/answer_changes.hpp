// Answer changes: what clients would be answered under another configuration, before it is taken over.
//
// Both configurations are decided in replicas of the same moment, so that whatever differs is the new one's
// doing. Pure, and slow for large installations: not for the control thread.
#pragma once

#include "policies/engine.hpp"

namespace fairway::policies {

struct AnswerChanges {
    struct Line {
        std::string service;
        std::string clients; ///< whose answer it is: a network, with how many more; empty: everybody's
        std::string before,  ///< "east 60 % (192.0.2.1), west 40 % (192.0.2.2)"; empty: not served
            after;
        std::string preferred_before, preferred_after; ///< where it would be if all were fit; empty: nowhere
        std::uint32_t ttl_before = 0, ttl_after = 0;   ///< 0: not served
        std::string why;                               ///< of `after`
    };
    std::vector<Line> lines;          ///< in the order of the services' names
    std::size_t same = 0;             ///< services that are answered as before
    std::vector<std::string> assumed; ///< targets that nobody has looked at: they are taken to be well
};

AnswerChanges answer_changes(const Engine& running, const ModelPtr& next, Now now);

} // namespace fairway::policies
