#include "daemon/ctl/delegation.hpp"

#include <algorithm>

namespace fairway::ctl {

namespace {

std::string joined(const std::set<std::string>& words) {
    std::string all;
    for (const auto& w : words) all += (all.empty() ? "" : ", ") + w;
    return all.empty() ? "none" : all;
}

bool within(const std::string& name, const std::string& zone) {
    return name == zone || (name.size() > zone.size() && name.ends_with("." + zone));
}

class Judge {
  public:
    explicit Judge(const Delegation& parent) : parent_(parent) {}

    void delegation() {
        if (parent_.servers.empty())
            return bad("the parent", "it does not delegate " + parent_.zone +
                                         ": have it add an NS record for each of your name servers");
        if (parent_.servers.size() == 1)
            odd("the parent", "one name server: when it is lost nobody is answered");
        if (parent_.signs)
            bad("the parent",
                "it has a DS record, and the zone is not signed: resolvers that validate answer "
                "SERVFAIL; have it removed");
        for (const auto& server : parent_.servers)
            if (within(server, parent_.zone) && !parent_.glue.contains(server))
                bad("the parent", server +
                                      " is within the zone and has no glue: nobody can find it; have its "
                                      "addresses added");
    }

    void server(const ServerView& v) {
        const std::string where = v.server + " " + v.address;
        if (!v.udp)
            return bad(where, "no answer over UDP: is it running, is port 53 open, is the glue right?");
        if (v.rcode != "NOERROR" || !v.authoritative)
            return bad(where, "it is not authoritative for " + parent_.zone + " (" + v.rcode +
                                  "): is the zone configured there?");
        if (!v.tcp)
            bad(where,
                "no answer over TCP: long answers, and clients that were limited, need port 53 over TCP");
        if (!v.edns) odd(where, "it answers without EDNS: something between strips it or is very old");
        if (v.recursive) odd(where, "it offers recursion: strangers can use it to attack others");
        if (v.servers != parent_.servers)
            bad(where, "its NS records are " + joined(v.servers) + ", the parent's " +
                           joined(parent_.servers) + ": make them the same");
        else if (v.ttl != parent_.ttl)
            odd(where, "its NS records have a TTL of " + std::to_string(v.ttl) + " s, the parent's " +
                           std::to_string(parent_.ttl) + " s: a move of a server takes the longer one");
        glue(v, where);
    }

    void together(const std::vector<ServerView>& views) {
        std::set<std::string> serials;
        for (const auto& v : views)
            if (v.serial) serials.insert(std::to_string(*v.serial));
        if (serials.size() > 1)
            odd("the name servers",
                "their SOA serials differ (" + joined(serials) + "): does each have the same configuration?");
    }

    std::vector<Fault> found;

  private:
    void glue(const ServerView& v, const std::string& where) {
        for (const auto& [name, told] : parent_.glue) {
            auto own = v.own.find(name);
            if (own != v.own.end() && own->second != told)
                bad(where, name + " is at " + joined(own->second) + " by its own word, at " + joined(told) +
                               " by the parent's glue: have the glue changed");
        }
    }
    void bad(std::string where, std::string what) {
        found.push_back({true, std::move(where), std::move(what)});
    }
    void odd(std::string where, std::string what) {
        found.push_back({false, std::move(where), std::move(what)});
    }

    const Delegation& parent_;
};

} // namespace

std::vector<Fault> faults(const Delegation& parent, const std::vector<ServerView>& views) {
    Judge judge(parent);
    judge.delegation();
    for (const auto& v : views) judge.server(v);
    judge.together(views);
    return std::move(judge.found);
}

} // namespace fairway::ctl
