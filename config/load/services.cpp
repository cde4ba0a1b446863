#include "config/load/draft.hpp"

#include <algorithm>

namespace fairway::load {
namespace {

constexpr std::string_view path = "services.*";

/// The service's own keys, and those of its template that it does not have.
std::vector<Mapping::Entry> entries_of(const Node& service, const Node* common) {
    std::vector<Mapping::Entry> out;
    for (const Node::Member& m : service.members) out.push_back({m.key.text, m.key.place(), &m.value});
    if (!common) return out;
    for (const Node::Member& m : common->members)
        if (!service.find(m.key.text) && m.key.text != "use")
            out.push_back({m.key.text, m.key.place(), &m.value});
    return out;
}

void read_templates(const Mapping& file, Binding& b) {
    const Node* n = file.get("templates");
    if (!n) return;
    const Mapping m(*n, "templates", b.problems);
    for (const auto& e : m.entries()) {
        b.templates.emplace(e.name, e.value);
        if (!e.value->is_mapping()) {
            wrong(*e.value, *find_key("templates.*"), b.problems);
            continue;
        }
        if (const Node* use = e.value->find("use"))
            b.problems.error(use->place(), "a template cannot use another");
        Mapping(e.place, entries_of(*e.value, nullptr), path, b.problems,
                Mapping::Extent::part); // for its keys
    }
}

const Node* template_of(const Node& service, Binding& b) {
    const Node* use = service.find("use");
    if (!use) return nullptr;
    if (auto it = b.templates.find(use->text); use->is_scalar() && it != b.templates.end())
        return it->second->is_mapping() ? it->second : nullptr;
    b.problems.error(use->place(),
                     use->is_scalar()
                         ? "there is no template " + with_nearest(use->text, names_of(b.templates))
                         : "use: expected a template's name, found " + use->describe());
    return nullptr;
}

void read_tier(const Mapping& m, std::string_view key, std::optional<Expression>& out, Draft& d, Binding& b) {
    const Node* n = m.get(key);
    if (!n) return;
    out = read_expression(*n, d, b);
    if (!out) d.checks_usable = false;
}

/// 2, or 50%.
void read_min_healthy(const Mapping& m, Service& s, Binding& b) {
    const Node* n = m.get("min_healthy");
    if (!n) return;
    const Key& said = *find_key("services.*.min_healthy");
    const bool share = n->is_scalar() && n->text.ends_with('%');
    Key as = said;
    as.type = share ? Type::share : Type::count;
    as.least = share ? 0 : 1;
    as.most = share ? 1 : 1000;
    share ? read_value(*n, as, s.min_healthy.share, b.problems)
          : read_value(*n, as, s.min_healthy.count, b.problems);
}

void read_tags(const Mapping& m, Service& s, Binding& b) {
    const Node* list = m.get("tags");
    if (!list) return;
    if (!list->is_sequence()) return wrong(*list, *find_key("services.*.tags"), b.problems);
    for (const Node& item : list->items) {
        if (!item.is_scalar() || item.text.empty()) wrong(item, *find_key("services.*.tags.[]"), b.problems);
        else if (std::find(s.tags.begin(), s.tags.end(), item.text) != s.tags.end())
            b.problems.error(item.place(), "tags: `" + item.text + "` is given twice");
        else s.tags.push_back(item.text);
    }
}

void read_service(const Name& name, const Node::Member& member, Binding& b) {
    Draft d;
    d.service.name = name;
    d.notes.name = member.key.place();
    const Mapping m(d.notes.name, entries_of(member.value, template_of(member.value, b)), path, b.problems);
    Service& s = d.service;
    s.ttl = b.default_ttl;
    if (const Node* ttl = m.get("ttl")) {
        d.notes.ttl = ttl->place();
        read_ttl(*ttl, "services.*.ttl", s.ttl, b.problems);
    }
    m.choose("consistency", s.consistency,
             {{"strong", Service::Consistency::strong}, {"eventual", Service::Consistency::eventual}});
    m.read("unchecked", s.unchecked);
    read_tags(m, s, b);
    read_min_healthy(m, s, b);
    enum class Families { same_site, independent } families{};
    m.choose("families", families,
             {{"same_site", Families::same_site}, {"independent", Families::independent}});
    if (families == Families::independent) d.notes.families = m.get("families")->place();
    if (const Node* n = m.get("ramp")) {
        const Mapping ramp(*n, "services.*.ramp", b.problems);
        ramp.read("steps", s.ramp.steps);
        ramp.read("hold", s.ramp.hold);
        if (!std::is_sorted(s.ramp.steps.begin(), s.ramp.steps.end()))
            b.problems.error(ramp.place_of("steps"), "ramp: each step is more than the one before");
    }
    if (const Node* n = m.get("objectives")) {
        const Mapping objectives(*n, "services.*.objectives", b.problems);
        objectives.read("rto", s.objectives.rto);
        objectives.read("rpo", s.objectives.rpo);
    }
    read_tier(m, "application", s.application, d, b);
    read_tier(m, "stateful", s.stateful, d, b);
    if (s.unchecked && m.has("application"))
        b.problems.error(m.place_of("unchecked"),
                         "`unchecked: true` beside `application`: one of them is meant");
    if (!m.has("policy") || !m.has("endpoints")) d.notes.usable = false;
    read_load(m, d, b);
    read_endpoints(m, d, b);
    read_policy(m, d, b);
    review_load(m, d);
    read_switching(m, d, b);
    b.model.services.push_back(std::move(s));
    b.services.push_back(std::move(d.notes));
}

void read_service(const Node::Member& member, std::map<Name, Place>& seen, Binding& b) {
    const Place place = member.key.place();
    const auto name = Name::parse(member.key.text);
    if (!name || name->is_root())
        return b.problems.error(place, "`" + member.key.text + "` is not a domain name");
    if (auto [it, fresh] = seen.emplace(*name, place); !fresh)
        return b.problems.error(place, "the service " + name->to_string() + " is given twice; first at " +
                                           it->second.to_string());
    if (!member.value.is_mapping())
        return b.problems.error(member.value.place(),
                                member.key.text + ": expected a mapping, found " + member.value.describe());
    read_service(*name, member, b);
}

void sort_by_name(Binding& b) {
    std::vector<std::size_t> order(b.model.services.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
        return b.model.services[x].name < b.model.services[y].name;
    });
    std::vector<Service> services;
    std::vector<ServiceNotes> notes;
    for (std::size_t i : order) {
        services.push_back(std::move(b.model.services[i]));
        notes.push_back(std::move(b.services[i]));
    }
    b.model.services = std::move(services);
    b.services = std::move(notes);
}

} // namespace

void read_services(const Mapping& file, Binding& b) {
    read_templates(file, b);
    const Node* n = file.get("services");
    if (!n) return;
    if (!n->is_mapping()) return wrong(*n, *find_key("services"), b.problems);
    std::map<Name, Place> seen;
    for (const Node::Member& member : n->members) read_service(member, seen, b);
    sort_by_name(b);
}

} // namespace fairway::load
