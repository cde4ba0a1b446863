#include "config/model.hpp"

#include <algorithm>

namespace fairway {

std::optional<ServiceIndex> Model::find_service(const Name& name) const {
    auto it = std::lower_bound(services.begin(), services.end(), name,
                               [](const Service& s, const Name& n) { return s.name < n; });
    if (it == services.end() || it->name != name) return std::nullopt;
    return static_cast<ServiceIndex>(it - services.begin());
}

std::optional<DatacenterIndex> Model::find_datacenter(std::string_view name) const {
    for (std::size_t i = 0; i < datacenters.size(); ++i)
        if (datacenters[i].name == name) return static_cast<DatacenterIndex>(i);
    return std::nullopt;
}

} // namespace fairway
