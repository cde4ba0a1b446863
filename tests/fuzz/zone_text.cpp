#include "tests/fuzz/zone_text.hpp"

#include "config/load/zone_file.hpp"
#include "tests/unit/dns/oracle.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fairway::dns::testing {
namespace {

constexpr std::size_t most_asked = 64; // of the records of one text: a fuzzer wants many texts

Packet question(const RecordView& record) {
    Packet q(header_size);
    put16(&q[4], 1);
    q.insert(q.end(), record.owner.begin(), record.owner.end());
    q.resize(q.size() + 4);
    put16(&q[q.size() - 4], record.type);
    put16(&q[q.size() - 2], class_in);
    return q;
}

void require(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "zone text: %s:\n%.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

} // namespace

std::vector<std::string> seed_zones() {
    const std::string head =
        "@ 3600 IN SOA ns1 host ( 1 3600 600\n 86400 60 ) ; here\n@ NS ns1\nns1 A 192.0.2.1\n";
    return {head + "$TTL 1h\n$ORIGIN sub\nwww CNAME web\n$ORIGIN a.example.\n*.w MX 10 mx\n",
            head + "t TXT \"a;b\" c\\\"d \\065\\.\n\tAAAA 2001:db8::1\nx TYPE65280 \\# 3 0a0b0c\n",
            head + "h HTTPS 1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1 key667=\"x y\"\ns SVCB 0 h\n",
            head + "d DNAME e\nc NS ns.c\nns.c A 192.0.2.2\nc DS 1 8 2 " + std::string(64, 'a') + "\n",
            head + "_sip._tcp SRV 1 2 3 h\nn NAPTR 1 2 \"u\" \"s\" \"!^.*$!x!\" .\nk SSHFP 4 2 " +
                std::string(64, 'b') + "\n",
            head + "l TLSA 3 1 1 " + std::string(64, 'c') +
                "\np PTR x\nq CAA 0 issue \"ca.example\"\n$INCLUDE nothing\n"};
}

void check_zone_text(std::string_view text) {
    Diagnostics problems;
    load::ZoneBuilder builder(*Name::parse("a.example"), problems);
    load::read_zone_text(text, builder);
    builder.check({});
    Model model;
    model.zones.push_back(builder.take());
    const Records& records = model.zones[0].records;
    const auto snapshot = compile(model, {}, 1);
    const Client client{*IpAddress::parse("192.0.2.9"), Client::Transport::tcp};
    for (std::size_t i = 0; i < std::min(records.size(), most_asked); ++i) {
        const Packet reply = ask(*snapshot, question(records[i]), client);
        require(decode(reply).has_value(), "ldns cannot read an answer", text);
        require((reply[3] & 15) != static_cast<unsigned>(Rcode::refused), "a name of ours is refused", text);
    }
}

} // namespace fairway::dns::testing
