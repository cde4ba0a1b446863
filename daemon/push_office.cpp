#include "daemon/push_office.hpp"

#include "daemon/control_api.hpp"
#include "daemon/tokens.hpp"

#include <fstream>
#include <optional>

namespace fairway::daemon {

namespace {

/// The datacenter whose token it is; all are looked at, whichever it is.
std::optional<std::string> reporter(const PushCheck& check, const std::string& token) {
    std::optional<std::string> found;
    for (const auto& [datacenter, file] : check.tokens) {
        std::ifstream in(file);
        std::string own;
        if (std::getline(in, own) && own.size() >= shortest_token && same_secret(own, token))
            found = datacenter;
    }
    return found;
}

HttpResponse error(int status, std::string_view text) { return {status, error_json(text)}; }

} // namespace

HttpResponse PushOffice::answer(std::string_view name, const HttpRequest& request) {
    const auto found = desk_.ask([f = find_, n = std::string(name)] { return f(n); }, ControlApi::patience);
    if (!found) return error(503, "the daemon did not answer in time; try again");
    const auto* check = *found ? std::get_if<PushCheck>(&(*found)->kind) : nullptr;
    const auto datacenter = check ? reporter(*check, request.bearer) : std::nullopt;
    if (!datacenter) // the same for a check that is not there: strangers learn no names
        return error(401, "a token of this check is needed: Authorization: Bearer TOKEN");
    std::string why;
    const auto said = probes::read_report(request.body, why);
    if (!said) return error(400, why);
    const auto told = desk_.ask([this, n = std::string(name), dc = *datacenter,
                                 said = *said] { return reports_.report(n, dc, said); },
                                ControlApi::patience);
    if (!told) return error(503, "the daemon did not answer in time; try again");
    if (!*told)
        return error(404,
                     "no service of this configuration asks " + std::string(name) + " of " + *datacenter);
    return {200, R"({"accepted":true})"};
}

} // namespace fairway::daemon
