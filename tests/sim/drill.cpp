#include "tests/sim/drill.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace fairway::sim {

namespace {

bool failed = false; ///< something in the running test case

/// Hears of failing assertions, so that a drill's end knows whether to print its journal.
struct Listener : doctest::IReporter {
    explicit Listener(const doctest::ContextOptions&) {}
    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats&) override {}
    void test_case_start(const doctest::TestCaseData&) override { failed = false; }
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData& assertion) override { failed |= assertion.m_failed; }
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("journal", 1, Listener);

constexpr std::array<std::string_view, 4> names{"east", "west", "eu", "asia"};
constexpr std::array<std::string_view, 4> regions{"us-east", "us-west", "eu-central", "ap-south"};

std::string top_level(int count, const std::string& top) {
    std::string text = top +
                       "checks:\n"
                       "  web: {type: http, port: 8080, path: /healthz}\n"
                       "  db: {type: postgres, port: 5432, user: fairway, dbname: postgres, max_lag: 10s}\n"
                       "datacenters:\n";
    for (int i = 0; i < count; ++i)
        text += "  " + std::string(names.at(i)) + ": {region: " + std::string(regions.at(i)) + "}\n";
    return text + "services:\n";
}

std::string indented(const std::string& lines, int by) {
    std::string text;
    for (std::size_t at = 0; at < lines.size();) {
        auto end = std::min(lines.find('\n', at), lines.size());
        text += std::string(static_cast<std::size_t>(by), ' ') + lines.substr(at, end - at) + "\n";
        at = end + 1;
    }
    return text;
}

std::string one(const Named& service, const std::string& endpoints) {
    return "  " + service.name + ".gtm.example.com:\n" + indented(service.keys, 4) + "    endpoints:\n" +
           indented(endpoints, 6);
}

} // namespace

Duration a_quiet_day() { return std::getenv("FAIRWAY_LONG") ? 24h : 2h; }

std::string sites(int count, std::initializer_list<Named> services, const std::string& top) {
    std::string endpoints;
    for (int i = 0; i < count; ++i)
        endpoints += std::string(names.at(i)) + ": {addresses: [10." + std::to_string(i + 1) + ".0.1]}\n";
    auto text = top_level(count, top);
    for (const auto& s : services) text += one(s, endpoints);
    return text;
}

std::string sites_with(int count, const Named& service, const std::string& endpoints,
                       const std::string& top) {
    return top_level(count, top) + one(service, endpoints);
}

Drill::~Drill() {
    CHECK_MESSAGE(problems().empty(), problems());
    if (!failed) return;
    failed = false; // told once
    std::printf("---- seed %llu, at the end %+.3fs. The configuration:\n%s---- The journal:\n%s----\n",
                static_cast<unsigned long long>(seed()), seconds(now()), yaml_.c_str(),
                journal_text().c_str());
}

} // namespace fairway::sim
