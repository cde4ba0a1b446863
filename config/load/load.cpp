#include "config/load/load.hpp"

#include "config/load/binding.hpp"
#include "config/load/document.hpp"
#include "config/load/writing.hpp"

#include <algorithm>
#include <tuple>

namespace fairway::load {
namespace {

bool before(const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) <
           std::tie(b.place.file, b.place.line, b.place.column);
}

bool same(const Diagnostic& a, const Diagnostic& b) {
    return !before(a, b) && !before(b, a) && a.message == b.message;
}

/// In the order of the lines; what a template says wrongly once is reported once.
void hand_over(const Diagnostics& found, Diagnostics& problems) {
    std::vector<Diagnostic> list(found.all().begin(), found.all().end());
    std::stable_sort(list.begin(), list.end(), before);
    std::vector<const Diagnostic*> told; // at one place
    for (const Diagnostic& d : list) {
        if (!told.empty() && before(*told.back(), d)) told.clear();
        if (std::any_of(told.begin(), told.end(), [&](const Diagnostic* t) { return same(*t, d); })) continue;
        told.push_back(&d);
        if (d.severity == Diagnostic::Severity::error) problems.error(d.place, d.message);
        else problems.warning(d.place, d.message);
    }
}

void bind(const Node& root, Binding& b) {
    const Mapping file(root, "", b.problems);
    read_datacenters(file, b); // everything else refers to them
    read_settings(file, b);
    read_checks(file, b);
    note_zone_names(file, b);
    read_services(file, b);
    read_rules(file, b);
    read_groups(file, b);  // after the services, which they name
    read_clients(file, b); // after the services: only what their policies ask about tells clients apart
    read_zones(file, b);   // after the services: they must not collide, and the smallest TTL bounds the SOA's
    review(b);
    split_families(b); // from here on `b.services` is of other services than the model's
}

} // namespace

std::shared_ptr<Model> load(const std::filesystem::path& file, Diagnostics& problems, Written* written) {
    Diagnostics found;
    Binding b(found);
    b.file = file.string();
    b.model.file = std::filesystem::absolute(file).lexically_normal().string();
    if (const auto root = read_document(file.string(), found)) {
        bind(*root, b);
        if (written) *written = written_in(*root);
    }
    hand_over(found, problems);
    if (!found.ok()) return nullptr;
    return std::make_shared<Model>(std::move(b.model));
}

} // namespace fairway::load
