// What the packet path costs without the kernel: one figure a scenario, and the cost of making and changing
// snapshots.
//
//   answer_bench [SCENARIO [QUERIES]]    time and, under callgrind, instructions:
//   valgrind --tool=callgrind --toggle-collect='*measured*' answer_bench static-100k 100000
#include "dns/answer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

using namespace fairway;
using namespace fairway::dns;

namespace {

using Clock = std::chrono::steady_clock;
double ms_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

long resident_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == "VmRSS:") {
            long kib = 0;
            status >> kib;
            return kib;
        }
    return 0;
}

std::vector<std::uint8_t> soa_rdata(const Name& zone) {
    std::vector<std::uint8_t> rdata;
    for (const char* name : {"ns1", "host"}) {
        const auto n = *zone.child(name);
        rdata.insert(rdata.end(), n.wire().begin(), n.wire().end());
    }
    for (const std::uint32_t v : {1u, 3600u, 600u, 86400u, 60u})
        for (int shift = 24; shift >= 0; shift -= 8) rdata.push_back(static_cast<std::uint8_t>(v >> shift));
    return rdata;
}

std::string numbered(char letter, int i) {
    char text[16];
    std::snprintf(text, sizeof text, "%c%06d", letter, i);
    return text;
}

// The zones and services of the peer bench: n%06u with A and AAAA; d%06u weighted; g%06u by client.
Model make_model(int names, int weighted, int geographic) {
    Model m;
    const Name zone = *Name::parse("gtm.test");
    Zone z{zone, {}};
    z.records.append(zone, rrtype::soa, 3600, soa_rdata(zone));
    for (int i = 0; i < names; ++i) {
        const Name n = *zone.child(numbered('n', i));
        const auto u = static_cast<std::uint32_t>(i);
        std::uint8_t a[16] = {198, 18, static_cast<std::uint8_t>(u >> 8), static_cast<std::uint8_t>(u)};
        z.records.append(n, rrtype::a, 60, {a, 4});
        z.records.append(n, rrtype::aaaa, 60, {a, 16});
    }
    m.zones.push_back(std::move(z));
    m.clients.classes.resize(9);
    for (std::uint32_t k = 0; k < 4096; ++k) {
        const IpAddress net{Family::v4,
                            {10, static_cast<std::uint8_t>(k >> 4), static_cast<std::uint8_t>(k << 4)}};
        m.clients.networks.push_back(
            {{net, 20}, static_cast<ClientClassIndex>(1 + (k * 2654435761u >> 7) % 8)});
    }
    const auto add = [&](char letter, int count) {
        for (int i = 0; i < count; ++i) m.services.emplace_back().name = *zone.child(numbered(letter, i));
    };
    add('d', weighted);
    add('g', geographic);
    return m;
}

std::vector<AnswerPlan> make_plans(int weighted, int geographic) {
    std::vector<AnswerPlan> plans(static_cast<std::size_t>(weighted + geographic));
    for (std::size_t i = 0; i < plans.size(); ++i) {
        const bool by_client = i >= static_cast<std::size_t>(weighted);
        plans[i].kind = by_client ? AnswerPlan::Kind::by_client : AnswerPlan::Kind::draw;
        plans[i].ttl = 30;
        for (std::uint8_t k = 0; k < (by_client ? 8 : 4); ++k)
            plans[i].choices.push_back({k, {IpAddress{Family::v4, {203, 0, 113, k}}}, 4u - k % 4});
        if (by_client) plans[i].by_client = {0, 0, 1, 2, 3, 4, 5, 6, 7};
    }
    return plans;
}

struct Packets {
    std::vector<std::uint8_t> bytes;
    std::vector<std::size_t> ends{0};
    Bytes operator[](std::size_t i) const { return Bytes(bytes).subspan(ends[i], ends[i + 1] - ends[i]); }
};

Packets make_queries(char letter, int names, bool client_subnet, std::size_t count) {
    Packets p;
    std::mt19937 rng(1);
    for (std::size_t i = 0; i < count; ++i) {
        const Name n = *Name::parse(numbered(letter, static_cast<int>(rng() % static_cast<unsigned>(names))) +
                                    ".gtm.test");
        const std::uint8_t header[12] = {0, 0, 0, 0, 0, 1,
                                         0, 0, 0, 0, 0, static_cast<std::uint8_t>(client_subnet)};
        const std::uint8_t question[4] = {0, 1, 0, 1};
        const std::uint8_t opt[] = {0,
                                    0,
                                    41,
                                    4,
                                    208,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    11,
                                    0,
                                    8,
                                    0,
                                    7,
                                    0,
                                    1,
                                    24,
                                    0,
                                    10,
                                    static_cast<std::uint8_t>(rng()),
                                    static_cast<std::uint8_t>(rng())};
        const auto append = [&](auto& part) {
            p.bytes.insert(p.bytes.end(), std::begin(part), std::end(part));
        };
        append(header);
        const auto wire = n.wire();
        append(wire);
        append(question);
        if (client_subnet) append(opt);
        p.ends.push_back(p.bytes.size());
    }
    return p;
}

// In batches of 64 with prefetching, as the UDP worker does it.
[[gnu::noinline]] std::size_t measured(const Packets& packets, const Snapshot& snapshot, std::size_t count) {
    static Query queries[64];
    static std::uint8_t buffers[64][21 * 64];
    Random random(1);
    const Client client{IpAddress{Family::v4, {127, 0, 0, 1}}, Client::Transport::udp};
    const std::size_t available = packets.ends.size() - 1;
    std::size_t octets = 0;
    for (std::size_t done = 0; done < count; done += 64) {
        Bytes messages[64];
        for (std::size_t i = 0; i < 64; ++i) {
            const Bytes p = packets[(done + i) % available];
            std::memcpy(buffers[i], p.data(), p.size());
            messages[i] = {buffers[i], p.size()};
            read_query(messages[i], queries[i]);
            prefetch_names(queries[i], snapshot);
        }
        for (auto& q : queries) prefetch_nodes(q, snapshot);
        for (auto& q : queries) prefetch_services(q, snapshot);
        for (std::size_t i = 0; i < 64; ++i)
            octets += answer(queries[i], messages[i], snapshot, client, random, {buffers[i], max_udp}).size;
    }
    return octets;
}

struct Scenario {
    const char* name;
    char letter;
    int names, weighted, geographic;
    bool client_subnet;
};
const Scenario scenarios[] = {
    {"static-1k", 'n', 1'000, 0, 0, false},  {"static-100k", 'n', 100'000, 0, 0, false},
    {"nxdomain", 'x', 1'000, 0, 0, false},   {"weighted", 'd', 0, 1'000, 0, false},
    {"client-subnet", 'g', 0, 0, 100, true},
};

void run(const Scenario& s, std::size_t count) {
    const auto snapshot =
        compile(make_model(s.names, s.weighted, s.geographic), make_plans(s.weighted, s.geographic), 1);
    const int population = std::max({s.names, s.weighted, s.geographic});
    const auto packets =
        make_queries(s.letter, population, s.client_subnet, std::min<std::size_t>(count, 200'000));
    measured(packets, *snapshot, 6400);
    const auto start = Clock::now();
    const std::size_t octets = measured(packets, *snapshot, count);
    std::printf("%-14s %7.1f ns an answer of %zu octets\n", s.name,
                ms_since(start) * 1e6 / static_cast<double>(count), octets / count);
}

void compile_costs() {
    const auto model = make_model(100'000, 2'000, 0);
    const auto plans = make_plans(2'000, 0);
    const long before = resident_kib();
    auto start = Clock::now();
    const auto snapshot = compile(model, plans, 1);
    std::printf(
        "compile        %7.1f ms for 100,000 names and 2,000 services; table %zu KiB, resident +%ld KiB\n",
        ms_since(start), snapshot->fixed->names.bytes() / 1024, resident_kib() - before);
    const std::vector<ServiceIndex> one{17};
    start = Clock::now();
    SnapshotPtr next = with_plans(*snapshot, one, plans, 2);
    std::printf("one verdict    %7.3f ms\n", ms_since(start));
    std::vector<ServiceIndex> all(2'000);
    for (ServiceIndex i = 0; i < all.size(); ++i) all[i] = i;
    start = Clock::now();
    next = with_plans(*snapshot, all, plans, 3);
    std::printf("2,000 verdicts %7.3f ms\n", ms_since(start));
}

} // namespace

int main(int argc, char** argv) {
    const std::string only = argc > 1 ? argv[1] : "";
    const std::size_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 5'000'000;
    for (const auto& s : scenarios)
        if (only.empty() || only == s.name) run(s, count);
    if (only.empty() || only == "compile") compile_costs();
}
