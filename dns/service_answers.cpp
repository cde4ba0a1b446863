#include "dns/service_answers.hpp"

#include "config/record.hpp"
#include "config/rendezvous.hpp"
#include "dns/wire.hpp"

#include <algorithm>
#include <new>

namespace fairway::dns {
namespace {

// More addresses than this of one family would not fit a message: 65535 / (12 + 16), and room for the rest.
constexpr std::size_t max_addresses = 2300;

void append_record(std::vector<std::uint8_t>& out, std::uint16_t type, std::uint32_t ttl, Bytes rdata) {
    std::uint8_t rr[12];
    put16(rr, pointer_mark | header_size);
    put16(rr + 2, type);
    put16(rr + 4, class_in);
    put32(rr + 6, ttl);
    put16(rr + 10, rdata.size());
    out.insert(out.end(), rr, rr + sizeof rr);
    out.insert(out.end(), rdata.begin(), rdata.end());
}

void append_record(std::vector<std::uint8_t>& out, const IpAddress& a, std::uint32_t ttl) {
    append_record(out, a.family == Family::v4 ? rrtype::a : rrtype::aaaa, ttl, {a.bytes.data(), a.size()});
}

} // namespace

// The parts of a block before they are laid out.
struct ServiceAnswers::Compiled {
    ServiceAnswers head;
    std::vector<AliasColumn> columns;
    std::vector<PoolAt> pools;
    std::vector<Place> places;
    std::vector<Set> sets;
    ClientTablePtr classes;
    std::vector<std::uint8_t> wire;

    Compiled(const AnswerPlan& plan, std::size_t client_classes, ClientTables& tables) {
        if (plan.kind == AnswerPlan::Kind::nodata) head.kind_ = Kind::nodata;
        else if (plan.kind == AnswerPlan::Kind::servfail || plan.choices.empty()) head.kind_ = Kind::servfail;
        else if (plan.kind == AnswerPlan::Kind::draw) use_draw(plan);
        else if (plan.kind == AnswerPlan::Kind::pooled) use_pools(plan, client_classes, tables);
        else use_classes(plan, client_classes, tables);
    }

    void add_name(const AnswerPlan& plan, const Name& name) {
        const Set set{static_cast<std::uint32_t>(wire.size()),
                      static_cast<std::uint16_t>(12 + name.wire().size()), 1};
        append_record(wire, rrtype::cname, plan.ttl, name.wire());
        sets.insert(sets.end(), {set, set});
        head.names_ = true;
        ++head.choices_;
    }

    void add_choice(const AnswerPlan& plan, const Choice& choice) {
        if (choice.cname) return add_name(plan, *choice.cname);
        for (const Family family : {Family::v4, Family::v6}) {
            Set set{static_cast<std::uint32_t>(wire.size()), 0, 0};
            for (const auto& a : choice.addresses)
                if (a.family == family && set.count < max_addresses) {
                    append_record(wire, a, plan.ttl);
                    ++set.count;
                }
            set.size = static_cast<std::uint16_t>(wire.size() - set.offset);
            sets.push_back(set);
        }
        ++head.choices_;
    }

    void use_single(const AnswerPlan& plan, const Choice& choice) {
        head.kind_ = Kind::single;
        add_choice(plan, choice);
    }

    void use_draw(const AnswerPlan& plan) {
        std::vector<std::uint32_t> weights;
        for (const auto& c : plan.choices) weights.push_back(c.weight);
        columns = make_alias_columns(weights, head.total_);
        if (columns.size() == 1) {
            use_single(plan, plan.choices[columns[0].self]);
            columns.clear();
            head.total_ = 0;
            return;
        }
        head.kind_ = Kind::draw;
        head.columns_ = static_cast<std::uint16_t>(columns.size());
        for (const auto& c : plan.choices) add_choice(plan, c);
    }

    /// What each class gets, of `things` there are; what is not said is the first.
    static ClientTable table_of(const AnswerPlan& plan, std::size_t client_classes, std::size_t things) {
        ClientTable table = plan.by_client;
        table.resize(std::max<std::size_t>(client_classes, 1), table.empty() ? std::uint16_t{0} : table[0]);
        for (auto& c : table) c = c < things ? c : std::uint16_t{0};
        return table;
    }

    void share(ClientTable table, ClientTables& tables) {
        classes = tables.share(std::move(table));
        head.classes_ = classes->data();
        head.class_count_ = static_cast<std::uint32_t>(classes->size());
    }

    void use_classes(const AnswerPlan& plan, std::size_t client_classes, ClientTables& tables) {
        ClientTable table = table_of(plan, client_classes, plan.choices.size());
        if (std::all_of(table.begin(), table.end(), [&](auto c) { return c == table[0]; }))
            return use_single(plan, plan.choices[table[0]]);
        head.kind_ = Kind::by_client;
        for (const auto& c : plan.choices) add_choice(plan, c);
        share(std::move(table), tables);
    }

    void use_pools(const AnswerPlan& plan, std::size_t client_classes, ClientTables& tables) {
        head.kind_ = Kind::pooled;
        for (const auto& c : plan.choices) add_choice(plan, c);
        for (const Pool& p : plan.pools) pools.push_back(add_pool(plan, p));
        head.columns_ = static_cast<std::uint16_t>(columns.size());
        head.pools_ = static_cast<std::uint16_t>(pools.size());
        if (!plan.by_client.empty()) share(table_of(plan, client_classes, plan.pools.size()), tables);
    }

    PoolAt add_pool(const AnswerPlan& plan, const Pool& pool) {
        using How = PoolAt::How;
        if (pool.members.size() == 1) return {0, How::single, pool.members[0].choice, 1};
        if (pool.how == Pool::How::all) return add_together(plan, pool);
        if (pool.how == Pool::How::stick) {
            const auto first = static_cast<std::uint32_t>(places.size());
            for (const auto& m : pool.members) places.push_back({m.key, m.weight, m.choice});
            return {0, How::stick, first, static_cast<std::uint32_t>(pool.members.size())};
        }
        PoolAt at{0, How::draw, static_cast<std::uint32_t>(columns.size()), 0};
        std::vector<std::uint32_t> weights;
        for (const auto& m : pool.members) weights.push_back(m.weight);
        for (AliasColumn c : make_alias_columns(weights, at.total)) {
            c.self = pool.members[c.self].choice;
            c.alias = pool.members[c.alias].choice;
            columns.push_back(c);
        }
        at.count = static_cast<std::uint32_t>(columns.size()) - at.first;
        return at;
    }

    /// One choice with the addresses of all members.
    PoolAt add_together(const AnswerPlan& plan, const Pool& pool) {
        Choice together;
        for (const auto& m : pool.members) {
            const auto& of = plan.choices[m.choice].addresses;
            together.addresses.insert(together.addresses.end(), of.begin(), of.end());
        }
        add_choice(plan, together);
        return {0, PoolAt::How::single, head.choices_ - 1u, 1};
    }

    Ptr lay_out() {
        const std::size_t fixed = sizeof head + columns.size() * sizeof(AliasColumn) +
                                  pools.size() * sizeof(PoolAt) + places.size() * sizeof(Place) +
                                  sets.size() * sizeof(Set);
        for (auto& s : sets) s.offset += static_cast<std::uint32_t>(fixed);
        head.bytes_ = static_cast<std::uint32_t>(fixed + wire.size());
        // Cache lines are 64 octets: the head and the columns of up to two choices share the first one.
        auto* const block =
            static_cast<std::uint8_t*>(::operator new (head.bytes_ + copy_slack, std::align_val_t{64}));
        std::uint8_t* at = block + sizeof head;
        new (block) ServiceAnswers(head);
        const auto put = [&](const auto& v) {
            if (!v.empty()) std::memcpy(at, v.data(), v.size() * sizeof v[0]);
            at += v.size() * sizeof v[0];
        };
        put(columns);
        put(pools);
        put(sets);
        put(places);
        put(wire);
        return Ptr(reinterpret_cast<const ServiceAnswers*>(block),
                   [table = classes](const ServiceAnswers* p) {
                       ::operator delete (const_cast<ServiceAnswers*>(p), std::align_val_t{64});
                   });
    }
};

ServiceAnswers::Ptr ServiceAnswers::make(const AnswerPlan& plan, std::size_t client_classes,
                                         ClientTables& tables) {
    return Compiled(plan, client_classes, tables).lay_out();
}

std::size_t ServiceAnswers::by_pool(const PoolAt& pool, const IpAddress& client,
                                    std::uint64_t random) const noexcept {
    if (pool.how == PoolAt::How::single) return pool.first;
    if (pool.how == PoolAt::How::draw)
        return dns::draw({columns() + pool.first, pool.count}, pool.total, random);
    const std::uint64_t network = sticky_network(client);
    std::size_t best = 0;
    double least = 0;
    for (const Place& p : std::span(places() + pool.first, pool.count)) {
        const double rank = rendezvous_rank(network, p.key, p.weight);
        if (&p != places() + pool.first && rank >= least) continue;
        least = rank;
        best = p.choice;
    }
    return best;
}

bool ServiceAnswers::operator==(const ServiceAnswers& o) const {
    constexpr std::size_t after = sizeof classes_; // a place in memory, not content
    const auto* const mine = reinterpret_cast<const std::uint8_t*>(this);
    const auto* const other = reinterpret_cast<const std::uint8_t*>(&o);
    return bytes_ == o.bytes_ && std::memcmp(mine + after, other + after, bytes_ - after) == 0 &&
           std::equal(classes_, classes_ + class_count_, o.classes_, o.classes_ + o.class_count_);
}

} // namespace fairway::dns
