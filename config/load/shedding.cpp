// `load`: which check reports it, and what is done about it.
#include "config/load/draft.hpp"

namespace fairway::load {

void read_load(const Mapping& service, Draft& d, Binding& b) {
    const Node* n = service.get("load");
    if (!n) return;
    const Mapping m(*n, "services.*.load", b.problems);
    LoadSettings load;
    std::string from;
    m.read("shed_above", load.shed_above);
    m.read("max_share", load.max_share);
    m.read("lag", load.lag);
    if (!m.read("from", from)) return;
    const Place place = m.get("from")->place();
    const NamedCheck* check = b.check(from, place);
    if (!check || !check->usable) return;
    if (!reports_of(b.model.checks[check->index]->kind).load)
        return b.problems.error(place, "load: the check `" + from + "` reports no load");
    load.from = check->index;
    d.used.emplace(from, check->index); // endpoints may say what it looks at
    d.service.load = load;
}

void review_load(const Mapping& service, const Draft& d) {
    const Service& s = d.service;
    if (!s.load || !d.notes.usable) return;
    const Place place = service.place_of("load");
    const bool acts = s.load->shed_above || s.load->max_share < 1;
    if (acts && std::holds_alternative<ActivePassive>(s.policy) && s.stateful)
        service.problems().error(place,
                                 "load: with a `stateful` tier one site is active, no part of its traffic "
                                 "can go to another: leave out `shed_above` and `max_share`");
    if (acts && std::holds_alternative<All>(s.policy))
        service.problems().warning(place, "`load` sheds nothing: every site is in every answer");
}

} // namespace fairway::load
