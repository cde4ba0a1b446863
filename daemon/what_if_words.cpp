#include "daemon/what_if_words.hpp"

#include "config/load/node.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>

namespace fairway::daemon {

using namespace policies;

namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> parts(const std::string& list) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at < list.size();) {
        const std::size_t end = std::min(list.find(',', at), list.size());
        if (end > at) all.push_back(list.substr(at, end - at));
        at = end + 1;
    }
    return all;
}

class Reader {
  public:
    explicit Reader(const Model& model) : model_(model) {}

    std::string datacenter(const std::string& said) {
        std::vector<std::string_view> known;
        for (const auto& d : model_.datacenters) known.push_back(d.name);
        if (!model_.find_datacenter(said)) wrong("there is no datacenter " + load::with_nearest(said, known));
        return said;
    }
    std::string service(const std::string& said) {
        if (const auto known = model_.known_title(said)) return *known;
        std::vector<std::string> known;
        for (const auto& s : model_.services) known.push_back(s.name.to_string());
        wrong("there is no service " +
              load::with_nearest(said, std::vector<std::string_view>(known.begin(), known.end())));
        return said;
    }
    double number(const std::string& said) {
        double value = 0;
        const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), value);
        if (error != std::errc{} || end != said.data() + said.size() || !std::isfinite(value) || value < 0)
            wrong("a load is a number, not " + said);
        return value;
    }
    /// The two sides of `sign`.
    std::pair<std::string, std::string> pair(const std::string& said, char sign, const char* shape) {
        const std::size_t at = said.find(sign);
        if (at == said.npos) wrong(std::string(shape) + " is expected, not " + said);
        return {said.substr(0, at), at == said.npos ? "" : said.substr(at + 1)};
    }
    void wrong(std::string what) {
        if (problem.empty()) problem = std::move(what);
    }
    std::vector<WhatIfQuestion::Down> down(const std::string& words) {
        std::vector<WhatIfQuestion::Down> all;
        for (const auto& said : parts(words)) {
            const auto [dc, name] = pair(said, '/', "DATACENTER/SERVICE");
            if (problem.empty()) all.push_back({datacenter(dc), service(name)});
        }
        return all;
    }
    std::string problem; ///< the first

  private:
    const Model& model_;
};

Json shares(const WhatIf::Shares& all) {
    Json list = Json::array();
    for (const auto& [site, share] : all) list.push_back({{"datacenter", site}, {"share", share}});
    return list;
}

Json maybe(const std::optional<double>& d) { return d ? Json(*d) : Json(nullptr); }

}

std::variant<WhatIfQuestion, std::string> read_question(const WhatIfWords& words, const Model& model) {
    Reader r(model);
    WhatIfQuestion q;
    for (const auto& dc : parts(words.lose)) q.lose.push_back(r.datacenter(dc));
    q.down = r.down(words.down);
    for (const auto& said : parts(words.loads)) {
        const auto [dc, load] = r.pair(said, '=', "DATACENTER=LOAD");
        if (r.problem.empty()) q.loads[r.datacenter(dc)] = r.number(load);
    }
    if (q.lose.empty()) r.wrong("name a datacenter to lose");
    if (!r.problem.empty()) return r.problem;
    return q;
}

std::variant<std::vector<WhatIfQuestion::Down>, std::string> read_down(const std::string& words,
                                                                       const Model& model) {
    Reader r(model);
    auto down = r.down(words);
    if (!r.problem.empty()) return r.problem;
    return down;
}

std::string to_json(const WhatIf& answer) {
    Json services = Json::array(), sites = Json::array();
    for (const auto& s : answer.services)
        services.push_back({{"name", s.name},
                            {"fate", to_string(s.fate)},
                            {"before", shares(s.before)},
                            {"after", shares(s.after)},
                            {"why", s.why}});
    for (const auto& s : answer.sites) {
        const bool known = s.capacity && *s.capacity > 0 && s.load_after;
        sites.push_back({{"name", s.name},
                         {"lost", s.lost},
                         {"services_before", s.services_before},
                         {"services_after", s.services_after},
                         {"capacity", maybe(s.capacity)},
                         {"load_before", maybe(s.load_before)},
                         {"load_after", maybe(s.load_after)},
                         {"use_after", known ? Json(*s.load_after / *s.capacity) : Json(nullptr)}});
    }
    const Json all = {{"services", services}, {"datacenters", sites}, {"warnings", answer.warnings}};
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace fairway::daemon
