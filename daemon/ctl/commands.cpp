#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

Command status(), history(), explain(), latency(), drain(), undrain(), maintenance(), force(), freeze(),
    unfreeze(), failover(), failback(), planned_switch(), approve(), what_if(), drill(), reload(), upgrade(),
    zone(), version(), check_config(), check_delegation();

const std::vector<Command>& commands() {
    static const std::vector<Command> all{
        status(),         history(), explain(),      latency(),         drain(),    undrain(),
        maintenance(),    force(),   freeze(),       unfreeze(),        failover(), failback(),
        planned_switch(), approve(), what_if(),      drill(),           reload(),   upgrade(),
        zone(),           version(), check_config(), check_delegation()};
    return all;
}

std::string Context::text(const std::string& name) const {
    const auto it = said.find(name);
    return it == said.end() ? std::string() : it->second;
}

} // namespace fairway::ctl
