// PCRE2 patterns, compiled once to see that they can be. What they match is for probes/ to say.
#include "config/load/check_kinds.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

namespace fairway::load {

std::string pattern_error(const std::string& pattern) {
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_code* code =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), 0, &error, &at, nullptr);
    pcre2_code_free(code);
    if (code) return {};
    std::array<unsigned char, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return std::string(reinterpret_cast<const char*>(text.data())) + " at offset " + std::to_string(at);
}

} // namespace fairway::load
