// A DNS load over loopback that checks every answer, and what each cost the server.
//
//   load ADDRESS:PORT NAME COUNT [option=value ...]      IPv4, loopback only
//     NAME is asked for with the numbers 0 to COUNT - 1 in its one %u: "n%06u.gtm.test"
//     sockets=8 window=192   closed loop: so many questions outstanding over so many sockets
//     rate=0                 open loop: so many a second, timed from when each was due
//     seconds=1 warmup=0.3   what counts, and what goes before it; SIGTERM ends it before
//     nap=0                  microseconds asleep between two looks, to leave the core to others
//     right=ADDRESS,...      what an answer may name
//     most=0                 ends after so many questions
//     subnet=0               1: a client subnet, some /24 of 10.0.0.0/8, with each question
//     pid=0                  the server's: its CPU time is put in relation to the answers
//
// One line of JSON. Lost is what has no answer within two seconds; bad what is no NOERROR answer to its
// question, or names first what is not right; unsent what the kernel did not take.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::int64_t;

constexpr unsigned batch = 64;
constexpr std::size_t longest_query = 320, longest_answer = 4096;
constexpr Nanoseconds second = 1'000'000'000, patience = 2 * second;
constexpr int buffer_octets = 4 << 20;

volatile sig_atomic_t told_to_end = 0;

Nanoseconds now() { return Clock::now().time_since_epoch().count(); }

[[noreturn]] void die(const std::string& what) {
    std::fprintf(stderr, "load: %s\n", what.c_str());
    std::exit(2);
}

struct Options {
    sockaddr_in server;
    std::string name;
    unsigned count;
    std::map<std::string, double> values{{"sockets", 8}, {"window", 192}, {"rate", 0},
                                         {"seconds", 1}, {"nap", 0},      {"warmup", 0.3},
                                         {"subnet", 0},  {"pid", 0},      {"most", 0}};
    std::vector<in_addr_t> right;
    double operator[](const std::string& key) const { return values.at(key); }
};

// ---------------------------------------------------------------- questions

using Bytes = std::vector<std::uint8_t>;

void append_name(Bytes& out, const std::string& name) {
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t end = std::min(name.find('.', at), name.size());
        out.push_back(static_cast<std::uint8_t>(end - at));
        out.insert(out.end(), name.begin() + static_cast<long>(at), name.begin() + static_cast<long>(end));
        at = end + 1;
    }
    out.push_back(0);
}

Bytes question(const std::string& name, bool subnet, std::mt19937& random) {
    Bytes q{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, subnet};
    append_name(q, name);
    q.insert(q.end(), {0, 1, 0, 1});
    const auto octet = [&] { return static_cast<std::uint8_t>(random()); };
    if (subnet)
        q.insert(q.end(),
                 {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 10, octet(), octet()});
    return q;
}

// In random order; few names are asked for with many subnets.
std::vector<Bytes> questions(const Options& o) {
    std::mt19937 random(1);
    std::vector<Bytes> all;
    const bool subnet = o["subnet"] != 0;
    const unsigned rounds = subnet ? std::max(1u, 10'000 / o.count) : 1;
    for (unsigned n = 0; n < rounds * o.count; ++n) {
        char name[256];
        std::snprintf(name, sizeof name, o.name.c_str(), n % o.count);
        all.push_back(question(name, subnet, random));
        if (all.back().size() > longest_query) die("a name is too long");
    }
    std::shuffle(all.begin(), all.end(), random);
    return all;
}

// ---------------------------------------------------------------- the server's CPU time

Nanoseconds cpu_time(int pid) {
    clockid_t clock;
    timespec t;
    if (pid == 0 || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) return 0;
    return t.tv_sec * second + t.tv_nsec;
}

// ---------------------------------------------------------------- asking and checking

struct Socket {
    int fd;
    struct Asked {
        Nanoseconds at = 0; // 0: answered or given up
        std::uint32_t question = 0;
    };
    std::vector<Asked> asked; // by id
    std::uint32_t next = 0;
    unsigned outstanding = 0;
};

struct Load {
    explicit Load(const Options& o) : options(o), all(questions(o)), epoll(epoll_create1(0)) {
        const auto count = static_cast<unsigned>(o["sockets"]);
        // Enough for what is outstanding, a second or two of it in an open loop.
        const std::size_t ids = count > 16 ? 4096 : 65536;
        for (unsigned i = 0; i < count; ++i) open(ids);
        for (unsigned i = 0; i < batch; ++i) {
            out_data[i] = {out[i], 0};
            in_data[i] = {in[i], longest_answer};
            to_send[i].msg_hdr.msg_iov = &out_data[i];
            received[i].msg_hdr.msg_iov = &in_data[i];
            to_send[i].msg_hdr.msg_iovlen = received[i].msg_hdr.msg_iovlen = 1;
        }
    }

    void open(std::size_t ids) {
        const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_octets, sizeof buffer_octets);
        if (connect(fd, reinterpret_cast<const sockaddr*>(&options.server), sizeof options.server))
            die("cannot connect");
        epoll_event e{};
        e.events = EPOLLIN;
        e.data.u32 = static_cast<std::uint32_t>(sockets.size());
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
        sockets.push_back({fd, std::vector<Socket::Asked>(ids), 0, 0});
    }

    bool counts(Nanoseconds at) const { return at >= begin && at < end; }

    // `due`: when the first of them should have left, and the time between them; 0: now.
    unsigned ask(Socket& s, unsigned n, Nanoseconds due, double step) {
        n = std::min(n, batch);
        for (unsigned i = 0; i < n; ++i) {
            const Bytes& q = all[(position + i) % all.size()];
            std::memcpy(out[i], q.data(), q.size());
            out[i][0] = static_cast<std::uint8_t>((s.next + i) >> 8);
            out[i][1] = static_cast<std::uint8_t>(s.next + i);
            out_data[i].iov_len = q.size();
        }
        const int sent = sendmmsg(s.fd, to_send, n, 0);
        for (int i = 0; i < sent; ++i, ++s.next) {
            auto& asked = s.asked[(s.next & 0xffff) % s.asked.size()];
            give_up(s, asked);
            asked = {due + static_cast<Nanoseconds>(step * i),
                     static_cast<std::uint32_t>(position++ % all.size())};
            ++s.outstanding;
            sent_in_time += counts(asked.at);
        }
        const auto taken = sent > 0 ? static_cast<unsigned>(sent) : 0;
        unsent += due >= begin ? n - taken : 0;
        return taken;
    }

    void give_up(Socket& s, Socket::Asked& asked) {
        if (asked.at == 0) return;
        lost += counts(asked.at);
        asked.at = 0;
        --s.outstanding;
    }

    void look(int wait_ms) {
        epoll_event ready[batch];
        const int n = epoll_wait(epoll, ready, batch, wait_ms);
        for (int i = 0; i < n; ++i) take(sockets[ready[i].data.u32]);
    }

    void take(Socket& s) {
        const int n = recvmmsg(s.fd, received, batch, MSG_DONTWAIT, nullptr);
        const Nanoseconds at = now();
        for (int i = 0; i < n; ++i) check(s, in[i], received[i].msg_len, at);
    }

    void check(Socket& s, const std::uint8_t* p, std::size_t size, Nanoseconds at) {
        const unsigned id = size < 12 ? 0 : static_cast<unsigned>(p[0] << 8 | p[1]);
        auto& asked = s.asked[id % s.asked.size()];
        if (size < 12 || asked.at == 0) return void(++bad);
        const Bytes& q = all[asked.question];
        const std::size_t question_end = q.size() - (options["subnet"] != 0 ? 22 : 0);
        const bool good = size > question_end && (p[2] & 0x80) && (p[3] & 15) == 0 && (p[6] || p[7]) &&
                          std::memcmp(p + 12, q.data() + 12, question_end - 12) == 0 &&
                          is_right(p + question_end, size - question_end);
        bad += !good;
        if (counts(asked.at))
            latencies.push_back(static_cast<std::uint32_t>(std::min<Nanoseconds>(at - asked.at, ~0u)));
        asked.at = 0;
        --s.outstanding;
    }

    /// The first record, whose owner is a pointer to the question.
    bool is_right(const std::uint8_t* record, std::size_t size) const {
        if (options.right.empty()) return true;
        in_addr_t address;
        if (size < 16 || record[3] != 1 || record[11] != sizeof address) return false;
        std::memcpy(&address, record + 12, sizeof address);
        return std::ranges::count(options.right, address) > 0;
    }

    void ask_closed(Nanoseconds at) {
        const unsigned window =
            std::max(1u, static_cast<unsigned>(options["window"]) / static_cast<unsigned>(sockets.size()));
        for (auto& s : sockets) // in bursts, so that neither side works for single packets
            if (s.outstanding <= window / 2) ask(s, window - s.outstanding, at, 0);
    }

    void ask_open(Nanoseconds at) {
        const double step = static_cast<double>(second) / options["rate"];
        for (; static_cast<double>(at) >= next_due; turn = (turn + 1) % sockets.size()) {
            const auto n =
                static_cast<unsigned>(std::min(16.0, (static_cast<double>(at) - next_due) / step + 1));
            ask(sockets[turn], n, static_cast<Nanoseconds>(next_due), step);
            next_due += step * n; // what could not be sent is not made up for
        }
    }

    void give_up_old(Nanoseconds before) {
        for (auto& s : sockets)
            for (auto& asked : s.asked)
                if (asked.at && asked.at < before) give_up(s, asked);
    }

    void run() {
        begin = now() + static_cast<Nanoseconds>(options["warmup"] * second);
        end = begin + static_cast<Nanoseconds>(options["seconds"] * second);
        next_due = static_cast<double>(now());
        const int pid = static_cast<int>(options["pid"]);
        Nanoseconds cpu = 0, checked = 0;
        bool counting = false;
        const double most = options["most"] > 0 ? options["most"] : 1e18;
        const timespec nap{0, static_cast<long>(options["nap"] * 1000)};
        for (Nanoseconds at = now(); at < end && !told_to_end && static_cast<double>(position) < most;
             at = now()) {
            if (!counting && at >= begin) counting = true, cpu = cpu_time(pid);
            if (options["rate"] > 0) ask_open(at);
            else ask_closed(at);
            look(0);
            if (nap.tv_nsec) nanosleep(&nap, nullptr);
            if (at - checked > second / 4) give_up_old(at - patience), checked = at;
        }
        end = std::min(end, now());
        spent = cpu_time(pid) - cpu;
        answered = latencies.size();
        for (const Nanoseconds until = now() + patience; now() < until && outstanding();) look(1);
        give_up_old(now() + 1);
    }

    bool outstanding() const {
        return std::any_of(sockets.begin(), sockets.end(), [](auto& s) { return s.outstanding != 0; });
    }

    double quantile(double q) {
        if (latencies.empty()) return 0;
        const auto at = static_cast<std::size_t>(q * static_cast<double>(latencies.size() - 1));
        std::nth_element(latencies.begin(), latencies.begin() + static_cast<long>(at), latencies.end());
        return latencies[at] / 1000.0;
    }

    const Options options;
    const std::vector<Bytes> all;
    const int epoll;
    std::vector<Socket> sockets;
    std::size_t position = 0, turn = 0;
    double next_due = 0;
    Nanoseconds begin = 0, end = 0, spent = 0;
    std::uint64_t sent_in_time = 0, answered = 0, lost = 0, bad = 0, unsent = 0;
    std::vector<std::uint32_t> latencies; // ns

    std::uint8_t out[batch][longest_query], in[batch][longest_answer];
    iovec out_data[batch], in_data[batch];
    mmsghdr to_send[batch]{}, received[batch]{};
};

sockaddr_in loopback(const std::string& text) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    const auto colon = text.find(':');
    if (colon != text.npos)
        a.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
    if (inet_pton(AF_INET, text.substr(0, colon).c_str(), &a.sin_addr) != 1 || text.find("127.") != 0)
        die("not a loopback address: " + text);
    return a;
}

Options read_options(int argc, char** argv) {
    if (argc < 4) die("usage: load PORT NAME COUNT [option=value ...]");
    Options o{.server = loopback(argv[1]),
              .name = argv[2],
              .count = static_cast<unsigned>(std::atoi(argv[3])),
              .right = {}};
    for (int i = 4; i < argc; ++i) {
        const std::string word = argv[i];
        if (word.starts_with("right=")) {
            for (std::string rest = word.substr(6); !rest.empty();) {
                const std::string address = rest.substr(0, rest.find(','));
                o.right.push_back(inet_addr(address.c_str()));
                rest.erase(0, address.size() + 1);
            }
            continue;
        }
        const auto at = o.values.find(word.substr(0, word.find('=')));
        if (at == o.values.end() || word.find('=') == word.npos) die("no such option: " + word);
        at->second = std::atof(word.c_str() + word.find('=') + 1);
    }
    return o;
}

} // namespace

int main(int argc, char** argv) {
    signal(SIGTERM, [](int) { told_to_end = 1; });
    const auto load = std::make_unique<Load>(read_options(argc, argv));
    load->run();
    const auto answers = static_cast<double>(std::max<std::uint64_t>(load->answered, 1));
    std::printf("{\"sent\": %llu, \"answered\": %llu, \"lost\": %llu, \"bad\": %llu, \"unsent\": %llu, "
                "\"qps\": %.0f, "
                "\"cpu_us\": %.4f, "
                "\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}\n",
                static_cast<unsigned long long>(load->sent_in_time),
                static_cast<unsigned long long>(load->answered), static_cast<unsigned long long>(load->lost),
                static_cast<unsigned long long>(load->bad), static_cast<unsigned long long>(load->unsent),
                answers * second / static_cast<double>(load->end - load->begin),
                static_cast<double>(load->spent) / 1000 / answers, load->quantile(0.5), load->quantile(0.9),
                load->quantile(0.99), load->quantile(0.999), load->quantile(1));
    return load->answered ? 0 : 1;
}
