#include "config/model.hpp"

#include <algorithm>
#include <cmath>

namespace fairway {

std::optional<ServiceIndex> Model::find_service(const Name& name) const {
    auto it = std::lower_bound(services.begin(), services.end(), name,
                               [](const Service& s, const Name& n) { return s.name < n; });
    if (it == services.end() || it->name != name) return std::nullopt;
    return static_cast<ServiceIndex>(it - services.begin());
}

std::optional<ServiceIndex> Model::find_service(const Title& title) const {
    auto s = find_service(title.name);
    if (s && services[*s].family && title.family == Family::v6) ++*s;
    return s && services[*s].family == title.family ? s : std::nullopt;
}

std::optional<ServiceIndex> Model::find_titled(std::string_view title) const {
    const auto parsed = Title::parse(title);
    return parsed ? find_service(*parsed) : std::nullopt;
}

std::optional<ServiceIndex> Model::find_answering(const Name& name, std::uint16_t type) const {
    auto s = find_service(name);
    if (s && services[*s].family && type == rrtype::aaaa) ++*s;
    return s;
}

std::optional<std::string> Model::known_title(std::string_view said) const {
    const auto title = Title::parse(said);
    if (!title || !(title->family ? find_service(*title) : find_service(title->name))) return std::nullopt;
    return title->to_string();
}

std::optional<DatacenterIndex> Model::find_datacenter(std::string_view name) const {
    for (std::size_t i = 0; i < datacenters.size(); ++i)
        if (datacenters[i].name == name) return static_cast<DatacenterIndex>(i);
    return std::nullopt;
}

std::size_t MinHealthy::of(std::size_t addresses) const {
    const auto by_share = static_cast<std::size_t>(std::ceil(share * static_cast<double>(addresses) - 1e-9));
    return std::max<std::size_t>(1, std::min(addresses, std::max<std::size_t>(count, by_share)));
}

} // namespace fairway
