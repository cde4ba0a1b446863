// One query's way through the names: RFC 1034 section 4.3.2, step by step, into a Message.
//
// Lives on the stack of answer(); the path of everything but a plain hit.
#pragma once

#include "dns/answer.hpp"
#include "dns/message.hpp"

namespace fairway::dns {

/// Which of a service's choices answers a query, and the prefix length that depends on.
struct Choosing {
    std::size_t choice;
    unsigned scope;
};
/// Where a client is, as far as it was told: by its subnet, else by the address that asks.
struct Whereabouts {
    const IpAddress& address;
    bool told; ///< a subnet: the scope goes back with the answer
};
inline Whereabouts whereabouts(const Query& query, const Client& client) noexcept {
    const ClientSubnet& subnet = query.options.subnet;
    const bool told = query.edns.subnet && subnet.source != 0;
    return {told ? subnet.address : client.address, told};
}
Choosing choose_of_pool(const ServiceAnswers& answers, const Whereabouts& at, const Snapshot& snapshot,
                        Random& random) noexcept;
inline Choosing choose(const ServiceAnswers& answers, const Query& query, const Snapshot& snapshot,
                       const Client& client, Random& random) noexcept {
    if (answers.kind() == ServiceAnswers::Kind::single) return {0, 0};
    if (answers.kind() == ServiceAnswers::Kind::draw) return {answers.by_draw(random.next()), 0};
    const Whereabouts at = whereabouts(query, client);
    if (answers.kind() == ServiceAnswers::Kind::pooled) return choose_of_pool(answers, at, snapshot, random);
    const auto found = snapshot.clients->networks.find(at.address);
    return {answers.by_class(found.client_class), at.told ? found.scope : 0u};
}

class Resolution {
  public:
    Resolution(const Query& query, const Snapshot& snapshot, const Client& client, Random& random,
               Message& message) noexcept
        : query_(query),
          snapshot_(snapshot),
          names_(snapshot.fixed->names),
          client_(client),
          random_(random),
          message_(message),
          name_(&query.name) {}

    void run() noexcept;

    Rcode rcode = Rcode::noerror;
    bool authoritative = true;
    bool truncated = false; ///< the message has been cleared
    unsigned scope = 0;     ///< prefix length the answer depends on

  private:
    // How the current name relates to the names there are.
    struct Match {
        enum class Kind { outside, exact, wildcard, delegation, dname, missing };
        Kind kind;
        const Node* node =
            nullptr; // the name itself, its wildcard, the cut, the DNAME, or the closest encloser
    };
    Match match(const FoldedName& name) const noexcept;
    Match match_missing(const FoldedName& name) const noexcept;
    Match covered(const FoldedName& name, std::size_t offset) const noexcept;
    const Node* tail(const FoldedName& name, std::size_t offset) const noexcept;
    const Node* wildcard_of(const Node& encloser) const noexcept;

    bool step() noexcept;
    bool use_node(const Node& node) noexcept;
    bool use_parent_side(const Node& node) noexcept;
    bool use_records(const Node& node) noexcept;
    void use_set(const Node& node, const RrsetHeader& set, OwnerAt owner) noexcept;
    void use_bindings(const Node& node, const RrsetHeader& set, OwnerAt owner) noexcept;
    void share_least_ttl(std::size_t first) noexcept;
    bool hinted(const RrsetHeader& set) const noexcept;
    const Node* hinted_service(const Node& node, Bytes rdata) const noexcept;
    struct Records {
        Bytes v4{}, v6{};
    };
    Records answered_now(const Node& service) noexcept;
    const ServiceAnswers& half(const Node& service, bool v6) const noexcept;
    bool use_cname(const Node& node, OwnerAt owner) noexcept;
    bool use_dname(const Node& node) noexcept;
    bool follow(std::size_t target) noexcept;
    bool use_service(const Node& node) noexcept;
    bool use_name(const ServiceAnswers& answers, std::size_t choice) noexcept;
    void use_any(const Node& node, OwnerAt owner) noexcept;
    void refer(const Node& cut) noexcept;
    bool add_glue(const Node& cut, std::size_t server, bool in_domain) noexcept;
    const Node* host(const FoldedName& name, const Node& from) const noexcept;
    bool add_addresses(const Node& node, std::size_t owner) noexcept;
    void add_targets(const Node& node, const RrsetHeader& set, std::size_t record) noexcept;
    void add_soa(const Node& node) noexcept;
    void add(const RrsetHeader& set, OwnerAt owner) noexcept;
    void truncate() noexcept;
    OwnerAt owner_of(const Node& node) const noexcept;

    const Query& query_;
    const Snapshot& snapshot_;
    const NameTable& names_;
    const Client& client_;
    Random& random_;
    Message& message_;

    // Longer chains of CNAME and DNAME than this are nobody's intention; the answer ends there.
    static constexpr unsigned max_hops = 16;
    // Of hosts in one answer whose addresses go with it: more would not fit a datagram anyway.
    static constexpr unsigned max_targets = 32;
    const FoldedName* name_;              // the name that is looked for now
    std::uint16_t name_at_ = header_size; // where it stands in the message
    unsigned hops_ = 0;
    std::uint64_t seen_[max_hops]; // hashes of the names followed so far
    struct {
        const Node* node;
        std::size_t record;
    } dnames_[max_hops]; // which of them were DNAMEs, and where those stand
    FoldedName followed_;
};

} // namespace fairway::dns
