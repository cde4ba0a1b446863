// P13: what explain says a client gets is what the wire gives it: 10,000 random clients of random services.
#include "dns/snapshot.hpp"
#include "tests/unit/dns/oracle.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

constexpr int worlds = 100, clients = 100;

using Sites = std::set<std::string>; ///< addresses of one answer

class Draw {
  public:
    explicit Draw(unsigned seed) : random_(seed) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
    bool one_in(unsigned n) { return below(n) == 0; }

    Policy policy(std::size_t sites, int depth) {
        switch (below(depth > 0 ? 7 : 6)) {
        case 0: return order(sites);
        case 1: return Weighted{weights(sites)};
        case 2: return RoundRobin{};
        case 3: return Latency{};
        case 4: return Sticky{weights(sites)};
        case 5: return All{};
        default: return branches(sites, depth);
        }
    }

    ClientClass client_class(std::size_t sites) {
        constexpr const char* countries[] = {"", "DE", "FR"};
        ClientClass k{.country = countries[below(3)]};
        for (std::size_t i = 0; i < sites; ++i) k.rtt_ms.push_back(5 + below(100));
        return k;
    }

    IpAddress client() {
        return ip("10." + std::to_string(below(5)) + "." + std::to_string(below(250)) + ".1");
    }

  private:
    ActivePassive order(std::size_t sites) {
        ActivePassive p = in_order(sites);
        std::ranges::shuffle(p.order, random_);
        return p;
    }
    std::vector<unsigned> weights(std::size_t sites) {
        std::vector<unsigned> w;
        for (std::size_t i = 0; i < sites; ++i) w.push_back(1 + below(90));
        return w;
    }
    Geo branches(std::size_t sites, int depth) {
        Geo geo;
        for (const char* country : {"DE", "FR"})
            if (!one_in(3)) geo.branches.push_back({{.countries = {country}}, policy(sites, depth - 1)});
        geo.branches.push_back({{}, policy(sites, depth - 1)});
        return geo;
    }
    std::mt19937 random_;
};

Model random_world(Draw& draw) {
    const std::size_t sites = 2 + draw.below(3);
    Model m = world(sites);
    m.zones = {dns::testing::zone_of("test", {"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1"})};
    m.clients.classes.assign(1, draw.client_class(sites));
    for (ClientClassIndex k = 1; k < 4; ++k) {
        m.clients.classes.push_back(draw.client_class(sites));
        m.clients.networks.push_back({Prefix::parse("10." + std::to_string(k) + ".0.0/16").value(), k});
    }
    Service& s = serve(m, "www", draw.policy(sites, 2));
    for (Endpoint& e : s.endpoints) e.weight = 1 + draw.below(50);
    using enum OnAllDown::Mode;
    constexpr OnAllDown::Mode modes[] = {as_if_all_up, last_good, all, nodata, servfail};
    s.on_all_down.mode = modes[draw.below(5)];
    return m;
}

/// Some sites fail, some come back, an operator drains one.
void live_through(Desk& d, Draw& draw) {
    d.everywhere(Sight::pass);
    d.beats(3);
    for (unsigned i = draw.below(4); i > 0; --i) {
        const Datacenter& site =
            d.model->datacenters[draw.below(static_cast<unsigned>(d.model->datacenters.size()))];
        if (draw.one_in(5)) d.command(SetOverride{.scope = {"", site.name, ""}, .reason = "works"});
        else d.now_sees(site.name, draw.one_in(4) ? Sight::pass : Sight::refuse);
        d.beats(1 + static_cast<int>(draw.below(40)));
    }
}

Sites on_the_wire(const dns::Snapshot& snapshot, const IpAddress& client, std::uint64_t seed) {
    const auto query = dns::testing::make_query("www.test.", rrtype::a);
    const auto reply = dns::testing::decode(dns::testing::ask(snapshot, query, {client}, seed));
    REQUIRE(reply);
    Sites sites;
    if (reply->rcode != "NOERROR") return {reply->rcode};
    for (const std::string& line : reply->answer) sites.insert(line.substr(line.rfind(' ') + 1));
    return sites;
}

Sites addresses(const Explanation::Outcome& o) {
    Sites sites;
    for (const IpAddress& a : o.addresses) sites.insert(a.to_string());
    return sites;
}

/// The answers that explain says there may be, each with its probability.
std::map<Sites, double> told(const Explanation& e) {
    std::map<Sites, double> all;
    if (e.answer.empty()) return {{e.lines.back().reason == "NODATA" ? Sites{} : Sites{"SERVFAIL"}, 1}};
    const bool together = e.answer.size() > 1 && e.answer[0].probability == 1 && e.answer[1].probability == 1;
    Sites every;
    for (const auto& o : e.answer) {
        if (o.probability > 0) all[addresses(o)] += o.probability;
        every.merge(addresses(o));
    }
    return together ? std::map<Sites, double>{{every, 1}} : all;
}

/// How far what was drawn is from what was told, in standard deviations; the worst of the answers there may
/// be.
double deviation(const std::map<Sites, double>& told, const std::map<Sites, int>& drawn, int n) {
    double worst = 0;
    for (const auto& [sites, p] : told) {
        const double sigma = std::sqrt(n * p * (1 - p));
        const auto seen = drawn.find(sites);
        const double off = std::abs((seen == drawn.end() ? 0 : seen->second) - n * p);
        if (sigma > 2) worst = std::max(worst, off / sigma); // fewer than that are no normal distribution
    }
    return worst;
}

} // namespace

TEST_CASE("P13: explain is what the wire says, and where it is a draw, how often") {
    int cases = 0, sure = 0, random_groups = 0;
    double worst = 0;
    for (unsigned seed = 1; seed <= worlds; ++seed) {
        Draw draw(seed);
        Desk d(random_world(draw));
        live_through(d, draw);
        const auto snapshot = dns::compile(*d.model, std::vector<AnswerPlan>{d.engine.plan(0)}, 1);
        std::map<std::map<Sites, double>, std::map<Sites, int>> drawn;
        for (int i = 0; i < clients; ++i, ++cases) {
            const IpAddress client = draw.client();
            const auto may_be = told(d.engine.explain(0, client, d.now));
            const Sites is = on_the_wire(*snapshot, client, seed * 1000 + static_cast<unsigned>(i));
            INFO("world ", seed, ", client ", client.to_string());
            REQUIRE(may_be.contains(is));
            if (may_be.size() == 1) ++sure;
            else ++drawn[may_be][is];
        }
        for (const auto& [distribution, counts] : drawn) {
            int n = 0;
            for (const auto& [sites, count] : counts) n += count;
            worst = std::max(worst, deviation(distribution, counts, n));
            ++random_groups;
        }
    }
    MESSAGE(cases << " clients, " << sure << " with one answer, " << random_groups << " draws, worst "
                  << worst << " sigma");
    CHECK(cases == 10'000);
    CHECK(sure > 1000);
    CHECK(random_groups > 20);
    CHECK(worst < 4);
}
