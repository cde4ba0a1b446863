#include "daemon/prospect.hpp"

#include "dns/random.hpp"
#include "dns/zone_listing.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace fairway::daemon {

namespace {

constexpr std::size_t named_at_most = 10; // of what would be gone: nobody reads a hundred names in a refusal

using Messages = std::vector<std::vector<std::uint8_t>>;

std::map<std::string, Messages> records_of(const dns::Snapshot& snapshot) {
    std::map<std::string, Messages> all;
    dns::Random unused{0}; // services draw, and are left out
    const dns::NameOrder order(*snapshot.fixed);
    auto listing = dns::list_names(snapshot, order, *Name::parse("."), std::nullopt,
                                   std::numeric_limits<std::size_t>::max(), IpAddress{}, unused);
    for (auto& listed : listing.names) {
        using enum dns::ListedName::Kind;
        if (listed.kind != service && listed.kind != empty)
            all[listed.name.to_string()] = std::move(listed.messages);
    }
    return all;
}

std::string loss(const std::set<std::string>& running, const std::set<std::string>& next, const char* what) {
    std::vector<std::string> gone;
    std::ranges::set_difference(running, next, std::back_inserter(gone));
    if (2 * gone.size() <= running.size()) return {};
    std::string text = "it would remove " + std::to_string(gone.size()) + " of " +
                       std::to_string(running.size()) + " " + what + ": ";
    for (std::size_t i = 0; i < std::min(gone.size(), named_at_most); ++i) text += (i ? ", " : "") + gone[i];
    return text + (gone.size() > named_at_most ? ", ..." : "");
}

} // namespace

std::vector<NameChange> changed_names(const dns::Snapshot& before, const dns::Snapshot& after) {
    using enum KeyChange::Kind;
    const auto old_names = records_of(before), new_names = records_of(after);
    std::vector<NameChange> all;
    for (const auto& [name, messages] : new_names)
        if (const auto old = old_names.find(name); old == old_names.end()) all.push_back({name, added});
        else if (old->second != messages) all.push_back({name, changed});
    for (const auto& [name, messages] : old_names)
        if (!new_names.contains(name)) all.push_back({name, removed});
    std::ranges::sort(all, {}, &NameChange::name);
    return all;
}

std::string loss_by(const Model& running, const Model& next) {
    const auto services = [](const Model& m) {
        std::set<std::string> all; // two halves are one
        for (const Service& s : m.services) all.insert(s.name.to_string());
        return all;
    };
    const auto zones = [](const Model& m) {
        std::set<std::string> all;
        for (const Zone& z : m.zones) all.insert(z.name.to_string());
        return all;
    };
    if (auto text = loss(services(running), services(next), "services"); !text.empty()) return text;
    return loss(zones(running), zones(next), "zones");
}

} // namespace fairway::daemon
