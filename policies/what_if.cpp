#include "policies/what_if.hpp"

#include "policies/replica.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>

namespace fairway::policies {

namespace {

constexpr Duration beat = 2s;

double share_in(const WhatIf::Shares& shares, const std::string& site) {
    for (const auto& [name, share] : shares)
        if (name == site) return share;
    return 0;
}

WhatIf::Shares shares_of(const ServiceReport& s) {
    WhatIf::Shares shares;
    for (const EndpointReport& e : s.endpoints)
        if (e.share > 0) shares.emplace_back(e.datacenter, e.share);
    return shares;
}

WhatIf::ServiceLine line_of(const ServiceReport& before, const ServiceReport& after,
                            const std::set<std::string>& lost) {
    using enum WhatIf::Fate;
    WhatIf::ServiceLine line{
        .name = before.name, .before = shares_of(before), .after = shares_of(after), .why = after.reason};
    const bool touched = std::ranges::any_of(line.before, [&](auto& s) { return lost.contains(s.first); });
    const bool still = std::ranges::any_of(line.after, [&](auto& s) { return lost.contains(s.first); });
    const auto& r = after.running;
    if (after.state.starts_with("all down") || line.after.empty()) line.fate = nowhere;
    else if (r && lost.contains(r->from) && r->step != SwitchStep::awaiting_approval) {
        line.fate = runbook;
        line.why = "the runbook runs, and it moves to " + r->to + ": " + r->reason;
        line.after = {{r->to, 1.0}};
    } else if (still) {
        line.fate = held;
        if (r) line.why = "waits for approval: " + (r->failure.empty() ? r->reason : r->failure);
        else if (after.state != "serving") line.why = after.state + ": " + after.reason;
    } else if (line.before == line.after || !touched) line.fate = stays;
    else line.fate = moves;
    if (line.fate == stays) line.why.clear();
    return line;
}

std::string warning_of(const WhatIf::Site& s) {
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(), "%.60s: %.6g of %.6g, %.0f %% of its capacity", s.name.c_str(),
                  *s.load_after, *s.capacity, 100 * *s.load_after / *s.capacity);
    return text.data();
}

} // namespace

std::string_view to_string(WhatIf::Fate fate) {
    static constexpr std::array<std::string_view, 5> words{"stays", "moves", "runbook", "held", "nowhere"};
    return words[static_cast<std::size_t>(fate)];
}

std::vector<Burden> predicted(std::span<const Burden> now, std::span<const LoadReport> reports,
                              std::span<const std::pair<WhatIf::Shares, WhatIf::Shares>> moves,
                              const Model& model) {
    std::vector<Burden> after(now.begin(), now.end());
    const auto site = [&](const std::string& name) { return std::ranges::find(after, name, &Burden::site); };
    const auto weight = [&](std::size_t s) { return model.services[s].family ? 0.5 : 1.0; };
    for (const LoadReport& report : reports) {
        const auto from = site(report.datacenter);
        double all = 0; // services that it is of, by their shares
        for (std::size_t s : report.services) all += weight(s) * share_in(moves[s].first, report.datacenter);
        if (from == after.end() || !from->load || all == 0) continue;
        for (std::size_t s : report.services) {
            const auto& [before, then] = moves[s];
            const double leaves = share_in(before, report.datacenter) - share_in(then, report.datacenter);
            double gained = 0;
            for (const auto& [name, share] : then) gained += std::max(0.0, share - share_in(before, name));
            if (leaves <= 0) continue;
            const double load = report.load * weight(s) * leaves / all;
            const double rest = *from->load - load; // what is left by rounding alone is nothing
            from->load = rest > 1e-9 * report.load ? rest : 0;
            for (Burden& to : after) {
                const double gain = std::max(0.0, share_in(then, to.site) - share_in(before, to.site));
                if (gain > 0) to.load = to.load.value_or(0) + load * gain / gained;
            }
        }
    }
    return after;
}

namespace {

/// What reports say, or what the operator says instead: then it is of all services, as one report is.
std::vector<LoadReport> reports_of(const Report& present, const std::map<std::string, double>& said) {
    std::vector<LoadReport> all;
    for (const LoadReport& r : present.loads)
        if (!said.contains(r.datacenter)) all.push_back(r);
    for (const auto& [site, load] : said) {
        LoadReport r{.datacenter = site, .load = load};
        for (std::size_t s = 0; s < present.services.size(); ++s) r.services.push_back(s);
        all.push_back(std::move(r));
    }
    return all;
}

} // namespace

std::vector<Burden> burdens_of(const Report& r) {
    std::vector<Burden> all;
    for (const DatacenterReport& d : r.datacenters) {
        Burden b{d.name, d.load};
        for (const LoadReport& last : r.loads)
            if (!d.load && last.datacenter == d.name) b.load = b.load.value_or(0) + last.load;
        all.push_back(std::move(b));
    }
    return all;
}

WhatIf what_if(const Engine& engine, const WhatIfQuestion& question, Now now) {
    const std::set<std::string> lost(question.lose.begin(), question.lose.end());
    Replica as_it_is(engine, now), without(engine, now);
    for (Replica* r : {&as_it_is, &without}) r->take_down(question.down);
    without.lose(lost);
    const Report before = as_it_is.runs(), after = without.runs();
    const Report present = engine.report(now); // loads are as they are told now: a replica's grow stale
    WhatIf out;
    std::vector<std::pair<WhatIf::Shares, WhatIf::Shares>> moves;
    for (std::size_t i = 0; i < before.services.size(); ++i) {
        out.services.push_back(line_of(before.services[i], after.services[i], lost));
        moves.emplace_back(out.services.back().before, out.services.back().after);
    }
    auto burdens = burdens_of(present);
    for (Burden& b : burdens)
        if (const auto said = question.loads.find(b.site); said != question.loads.end())
            b.load = said->second;
    const auto then = predicted(burdens, reports_of(present, question.loads), moves, engine.model());
    for (std::size_t i = 0; i < burdens.size(); ++i) {
        WhatIf::Site site{.name = burdens[i].site,
                          .lost = lost.contains(burdens[i].site),
                          .capacity = present.datacenters[i].capacity,
                          .load_before = burdens[i].load,
                          .load_after = then[i].load};
        for (const auto& [is, will] : moves) {
            site.services_before += share_in(is, site.name);
            site.services_after += share_in(will, site.name);
        }
        if (!site.lost && site.capacity && site.load_after && *site.load_after > *site.capacity)
            out.warnings.push_back(warning_of(site));
        out.sites.push_back(std::move(site));
    }
    return out;
}

Engine assumed_well(ModelPtr model, std::span<const WhatIfQuestion::Down> down, Now now) {
    Engine engine(std::move(model), {}, now);
    engine.start(now);
    resolve_assumed(engine, engine.names(), now);
    const Model& m = engine.model();
    const Binding binding = bind(m);
    const std::set<MemberSlot> primaries = first_primaries(m, binding, down);
    std::set<MemberSlot> failing;
    for (ServiceIndex s = 0; s < m.services.size(); ++s)
        for (EndpointIndex e = 0; e < binding.services[s].size(); ++e)
            for (const auto& d : down)
                if (d.datacenter == m.datacenter_of(m.services[s], e).name &&
                    means(d.service, m.services[s].title()))
                    for (MemberSlot slot : members_of(binding.services[s][e])) failing.insert(slot);
    const std::vector<Member> members(engine.members().begin(), engine.members().end());
    for (const Instant end = now.mono + 1min; now.mono < end;) {
        now.mono += beat;
        now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(beat);
        std::vector<Observation> batch;
        for (MemberSlot i = 0; i < members.size(); ++i) {
            batch.push_back(well(members[i], primaries.contains(i), now));
            if (failing.contains(i))
                batch.back() = {.member = members[i].id,
                                .outcome = Outcome::fail,
                                .reason = Reason::refused,
                                .begun = now.mono,
                                .ended = now.mono};
        }
        if (engine.next_due() <= now.mono) engine.tick(now);
        engine.observe(batch, now);
    }
    return engine;
}

} // namespace fairway::policies
