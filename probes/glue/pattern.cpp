#include "probes/glue/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <map>
#include <memory>

namespace fairway::probes {

namespace {

using Code = std::unique_ptr<pcre2_code, decltype([](pcre2_code* c) { pcre2_code_free(c); })>;
using Data =
    std::unique_ptr<pcre2_match_data, decltype([](pcre2_match_data* d) { pcre2_match_data_free(d); })>;
using Context = std::unique_ptr<pcre2_match_context,
                                decltype([](pcre2_match_context* c) { pcre2_match_context_free(c); })>;

// Some ms of backtracking and 2 MB: PCRE2 allows 10 million steps and 20 GB, which is seconds of this thread.
constexpr std::uint32_t match_limit = 100'000;
constexpr std::uint32_t heap_limit_kib = 2048;
constexpr std::size_t kept_patterns = 1000; // more have never been configured; then they are compiled anew

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

const pcre2_code* compiled(const std::string& pattern) {
    thread_local std::map<std::string, Code, std::less<>> known;
    if (const auto found = known.find(pattern); found != known.end()) return found->second.get();
    if (known.size() >= kept_patterns) known.clear();
    int error = 0;
    PCRE2_SIZE at = 0;
    Code& code = known[pattern];
    code.reset(pcre2_compile(units(pattern), pattern.size(), 0, &error, &at, nullptr));
    return code.get();
}

} // namespace

Match search(const std::string& pattern, std::string_view text) {
    const pcre2_code* code = compiled(pattern);
    if (!code) return Match::no;
    const Data data(pcre2_match_data_create(1, nullptr));
    const Context limits(pcre2_match_context_create(nullptr));
    if (!data || !limits) return Match::too_costly;
    pcre2_set_match_limit(limits.get(), match_limit);
    pcre2_set_heap_limit(limits.get(), heap_limit_kib);
    const int found = pcre2_match(code, units(text), text.size(), 0, 0, data.get(), limits.get());
    if (found >= 0) return Match::yes;
    return found == PCRE2_ERROR_NOMATCH ? Match::no : Match::too_costly;
}

} // namespace fairway::probes
