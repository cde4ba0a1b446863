// What clients were told, and when: every answer of every service since the story began.
#pragma once

#include "policies/answer_plan.hpp"
#include "tests/sim/timeline.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::sim {

/// What a service answered from `at` on.
struct Answer {
    Moment at{};
    std::string text; ///< "east", "east+west" (either may be drawn), "SERVFAIL", "NODATA", "no daemon"
    AnswerPlan plan;
    std::uint64_t generation = 0;
};

/// The answers of one service.
class Answers {
  public:
    void add(Moment at, const AnswerPlan& plan, const Service& service, const Model& model,
             std::uint64_t generation);
    void nobody(Moment at); ///< the daemon is gone: no answer, which is not an empty one

    const Answer& now() const { return all_.back(); }
    const std::vector<Answer>& all() const { return all_; }
    bool empty() const { return all_.empty(); }

    /// How often the answer changed after `since`: the daemon's absence in between is no change.
    std::size_t moves(Moment since, Moment until = Moment::max()) const;
    bool named(std::string_view datacenter, Moment from, Moment until = Moment::max()) const;
    bool said(std::string_view text, Moment from, Moment until = Moment::max()) const;
    std::optional<Moment> first(std::string_view text, Moment from = {}) const;

  private:
    std::vector<Answer> all_;
};

/// The datacenters that a plan may name, sorted and joined by "+"; or what it says instead.
std::string text(const AnswerPlan& plan, const Service& service, const Model& model);

/// The same for each class of clients that is told apart.
std::vector<std::string> texts_by_class(const AnswerPlan& plan, const Service& service, const Model& model);

/// The same of what one client may be told.
std::string text_for(const AnswerPlan& plan, const Service& service, const Model& model,
                     const IpAddress& client);

/// What is wrong with a plan by itself, whatever the world; empty if nothing is.
std::string malformed(const AnswerPlan& plan, const Service& service, const Model& model);

/// The class of a client by the longest prefix of the model.
ClientClassIndex client_class(const Clients& clients, const IpAddress& client);

} // namespace fairway::sim
