// push: what a datacenter reports of itself. Nobody looks; probes/push.hpp takes reports in.
#include "probes/push.hpp"

#include "probes/checks/facts.hpp"
#include "probes/glue/json.hpp"

namespace fairway::probes {

Task<Finding> look(const PushCheck&, Look) {
    co_return because(Reason::no_data, "reports come by themselves");
}

std::optional<Finding> read_report(std::string_view text, std::string& error) {
    const std::optional<Json> json = text.starts_with('{') ? Json::parse(text) : std::nullopt;
    Finding found = pass("reported");
    const std::string bad = json ? read_report(*json, found) : "";
    if (!json) error = "a report is a JSON mapping";
    else if (!bad.empty()) error = "`" + bad + "` has no such value";
    return error.empty() ? std::optional(std::move(found)) : std::nullopt;
}

} // namespace fairway::probes
