// The status page: what the daemon knows, for people. Pure: reports and journal lines in, HTML out.
#pragma once

#include "daemon/journal_reader.hpp"
#include "daemon/page/html.hpp"
#include "daemon/page/watched.hpp"
#include "policies/report.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fairway::daemon::page {

/// Everything a page may show; what it does not need may be empty.
struct Facts {
    const policies::Report& report;
    std::string node;
    bool stale = false;
    std::vector<JournalLine> history; ///< newest first
    std::string history_problem;      ///< why there is none
};

struct Listing {
    std::string find;                        ///< only services whose name has it
    std::size_t page = 1;                    ///< from 1
    static constexpr std::size_t size = 100; ///< services a page
};

/// Where the client of an explanation stands: what was typed, and what came of it.
struct Explained {
    std::string typed, problem;
    std::optional<policies::Explanation> explanation;
};

std::string overview(const Facts& f, const Listing& listing);
std::string timeline(const Facts& f, const std::string& older); ///< `older`: where the next page is, or empty
std::string service(const Facts& f, const policies::ServiceReport& s, const std::set<MemberId>& members,
                    const Explained& explained);
std::string datacenter(const Facts& f, const std::string& name);
std::string not_found(const Facts& f, const std::string& what);

// Parts that several of them have.
std::string frame(const Facts& f, std::string_view title, const std::string& main);
std::string moments(const Facts& f, std::string_view title); ///< the timeline's section
Mood mood_of(const policies::ServiceReport& s);
Mood mood_of(const policies::EndpointReport& e);
Mood mood_of(const policies::MemberReport& m);

} // namespace fairway::daemon::page
