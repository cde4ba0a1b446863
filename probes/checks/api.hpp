// What the stateful kinds over HTTP have in common: a product's own interface is asked, and answers JSON.
#pragma once

#include "probes/checks/check.hpp"
#include "probes/glue/json.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fairway::probes {

/// What came of asking. Without a `json` the look is over, and `problem` says how.
struct ApiAnswer {
    int status = 0;
    std::optional<Json> json;
    Finding problem;

    std::optional<std::uint64_t> number(const std::string& pointer) const; ///< written as a number or a text
    std::string text(const std::string& pointer) const;                    ///< empty where there is none
    bool is(const std::string& pointer) const { return text(pointer) == "true"; }
};

/// Which statuses bring an answer that is worth reading; any other is a problem.
using Welcome = bool (*)(int status);
inline bool only_ok(int status) { return status == 200; }
inline bool ok_or_503(int status) { return status == 200 || status == 503; } ///< "no" is an answer, too

/// GETs `path`, or POSTs `body` to it. A 401 or 403 is auth_failure. `silence`: at.silence, or another one
/// where silence means something else by now.
Task<ApiAnswer> ask(const ApiAccess& api, const Look& at, std::string path, std::string body, Welcome welcome,
                    Reason& silence);

/// Not passing, and yet with something to say of itself.
Finding because(Reason reason, std::string detail, Facts facts);

/// Works, and has lost something that is worth less traffic: the reason says what.
Finding degraded(Reason reason, std::string detail, Facts facts);

} // namespace fairway::probes
