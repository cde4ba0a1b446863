// Zones: what becomes records, and what is refused at its line.
#include "config/load/zone_lines.hpp"
#include "tests/unit/config/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace fairway;
using namespace fairway::load;

namespace {

const std::string head =
    "$ORIGIN a.example.\n$TTL 300\n@ SOA ns1 hostmaster 7 1h 10m 2w 5s\n@ NS ns1\nns1 A 192.0.2.1\n"; // lines
                                                                                                      // 1-5

Loaded zone(const std::string& file, const std::map<std::string, std::string>& more = {}) {
    auto files = more;
    files["a.zone"] = file;
    return Loaded("zones: {a.example: {file: a.zone}}\n", files);
}

/// All records at a name, as "TTL TYPE HEX".
std::vector<std::string> at(const Loaded& loaded, std::string_view name) {
    INFO(loaded.told());
    REQUIRE(loaded.model);
    std::vector<std::string> out;
    const Records& r = loaded.model->zones.at(0).records;
    for (std::size_t i = 0; i < r.size(); ++i) {
        if (Name::from_wire(r[i].owner) != Name::parse(name)) continue;
        std::string text = std::to_string(r[i].ttl) + ' ' + std::to_string(r[i].type) + ' ';
        for (std::uint8_t o : r[i].rdata)
            text.append({"0123456789abcdef"[o >> 4], "0123456789abcdef"[o & 15]});
        out.push_back(text);
    }
    return out;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("nameservers make SOA, NS and glue, with the SOA minimum at most the smallest service TTL") {
    const Loaded loaded(
        "zones:\n  a.example:\n    nameservers: {ns1: [192.0.2.1, \"2001:db8::1\"], ns.example.net.: []}\n"
        "datacenters: {east: {}, west: {}}\nservices:\n  w.a.example: {policy: weighted, unchecked: true, "
        "ttl: 2s, endpoints: {east: {addresses: [192.0.2.9]}}}\n");
    const Texts apex = at(loaded, "a.example");
    REQUIRE(apex.size() == 3);
    CHECK(apex[0] == "3600 2 036e73310161076578616d706c6500");
    CHECK(apex[1] == "3600 2 026e73076578616d706c65036e657400");
    CHECK(apex[2].starts_with("3600 6 036e73310161076578616d706c65000a686f73746d6173746572"));
    CHECK(apex[2].ends_with("00000e10"
                            "00000258"
                            "00127500"
                            "00000002"));
    CHECK(at(loaded, "ns1.a.example") ==
          Texts{"3600 1 c0000201", "3600 28 20010db8000000000000000000000001"});
    CHECK(at(loaded, "ns.example.net").empty());
}

TEST_CASE("a file with its own SOA and NS needs nothing else") {
    const Loaded loaded =
        zone(head + "www 60 IN CNAME web\nweb IN 90 A 192.0.2.7\n\tA 192.0.2.8\n*.x MX 10 web\n");
    CHECK(at(loaded, "www.a.example") == Texts{"60 5 037765620161076578616d706c6500"});
    CHECK(at(loaded, "web.a.example") == Texts{"90 1 c0000207", "300 1 c0000208"});
    CHECK(at(loaded, "*.x.a.example").size() == 1);
}

TEST_CASE("parentheses, comments, escapes and quotes are those of RFC 1035") {
    const Loaded loaded = zone(
        "@ 1h SOA ns1 hostmaster ( ; the\n  7 ; serial\n  1h 10m\n\n  2w 5s )\n@ NS ns1\nns1 A 192.0.2.1\n"
        "t TXT \"a;b(c)\" ( \"d\\\"e\" ; comment with \" quote\n \"\" )\n"
        "dot\\.ted A 192.0.2.2\nu TYPE65400 \\# 4 0A000001\nlast A 192.0.2.3");
    CHECK(at(loaded, "a.example").size() == 2);
    CHECK(at(loaded, "t.a.example") == Texts{"3600 16 06613b62286329"
                                             "03642265"
                                             "00"});
    CHECK(at(loaded, "dot\\.ted.a.example").size() == 1);
    CHECK(at(loaded, "u.a.example") == Texts{"3600 65400 0a000001"});
    CHECK(at(loaded, "last.a.example").size() == 1);
}

TEST_CASE("$ORIGIN and $TTL hold from where they stand") {
    const Loaded loaded = zone(
        head + "$ORIGIN sub\nx A 192.0.2.1\n$TTL 1h30m\ny A 192.0.2.1\n$ORIGIN .\nz.a.example A 192.0.2.1\n");
    CHECK(at(loaded, "x.sub.a.example") == Texts{"300 1 c0000201"});
    CHECK(at(loaded, "y.sub.a.example") == Texts{"5400 1 c0000201"});
    CHECK(at(loaded, "z.a.example").size() == 1);
}

TEST_CASE("$INCLUDE reads another file at an origin, and the includer's own holds again behind it") {
    const Loaded loaded = zone(head + "$INCLUDE d/b.zone sub\n\tA 192.0.2.6\nafter A 192.0.2.1\n",
                               {{"d/b.zone", "b A 192.0.2.5\n$ORIGIN elsewhere\n$INCLUDE \"c.zone\"\n"},
                                {"d/c.zone", "c A 192.0.2.4\n"}});
    CHECK(at(loaded, "b.sub.a.example").size() == 1);
    CHECK(at(loaded, "c.elsewhere.sub.a.example").size() == 1);
    CHECK(at(loaded, "ns1.a.example") == Texts{"300 1 c0000201", "300 1 c0000206"});
    CHECK(at(loaded, "after.a.example").size() == 1);
}

TEST_CASE("what is wrong in an included file is reported there") {
    const Loaded loaded =
        zone(head + "$INCLUDE b.zone\n$INCLUDE no.zone\n", {{"b.zone", "\nx A nonsense\n"}});
    CHECK(loaded.problems.errors() == 2);
    CHECK(loaded.told().find("b.zone:2: error: A record: ") != std::string::npos);
    CHECK(loaded.told().find("a.zone:7: error: `no.zone` cannot be read") != std::string::npos);
}

TEST_CASE("a file that includes itself is stopped") {
    const Loaded loaded = zone(head + "$INCLUDE b.zone\n", {{"b.zone", "$INCLUDE a.zone\n"}});
    CHECK(loaded.told() == "b.zone:1: error: `a.zone` includes itself\n");
    std::map<std::string, std::string> chain;
    for (int i = 0; i < 20; ++i) chain["c" + std::to_string(i)] = "$INCLUDE c" + std::to_string(i + 1) + "\n";
    CHECK(zone(head + "$INCLUDE c0\n", chain).told().find("is included deeper than 10 files") !=
          std::string::npos);
    const Loaded many =
        zone(head + "$INCLUDE b.zone\n", {{"b.zone", std::string(2, '\n') + "$INCLUDE c\n$INCLUDE c\n"},
                                          {"c", "$INCLUDE d\n$INCLUDE d\n"},
                                          {"d", "x A 192.0.2.1\n"}});
    CHECK(many.model);
}

TEST_CASE("every broken line of a zone file is reported with its line") {
    struct Row {
        const char* line;
        const char* message;
    };
    const Row rows[] = {
        {"x A 192.0.2.256", "A record: "},
        {"x A", "A record: "},
        {"x A 192.0.2.1 192.0.2.2", "A record: "},
        {"x AAAA 192.0.2.1", "AAAA record: "},
        {"x MX mail", "MX record: "},
        {"x MX 70000 mail", "MX record: expected a number up to 65535, found `70000`"},
        {"x SRV 0 5 99999 y", "SRV record: expected a number up to 65535, found `99999`"},
        {"x AAA 192.0.2.1", "unknown record type `AAA` (did you mean `AAAA`?)"},
        {"x CNMAE y", "unknown record type `CNMAE` (did you mean `CNAME`?)"},
        {"x TYPE70000 \\# 0", "unknown record type `TYPE70000`"},
        {"x AXFR y", "unknown record type"},
        {"x", "a record type is missing"},
        {"x 300", "a record type is missing"},
        {"x 300x A 192.0.2.1", "expected a TTL such as 300 or 1h, found `300x`"},
        {"x 99999999999 A 192.0.2.1", "expected a TTL"},
        {"x CH A 192.0.2.1", "only class IN is served"},
        {"a..b A 192.0.2.1", "`a..b` is not a domain name"},
        {"x CNAME a..b", "CNAME record: "},
        {"x.example.org. A 192.0.2.1", "x.example.org is outside the zone a.example"},
        {"xa.example. A 192.0.2.1", "is outside the zone"},
        {"x TXT \"open", "a quoted text is not closed on its line"},
        {"x A 192.0.2.1 )", "a closing parenthesis without an opening one"},
        {"$TTL often", "$TTL: expected a time"},
        {"$TTL 1h 2h", "$TTL: nothing is expected behind `1h`"},
        {"$ORIGIN a..b", "$ORIGIN: expected a domain name"},
        {"$INCULDE x", "unknown directive `$INCULDE` (did you mean `$INCLUDE`?)"},
        {"$INCLUDE", "$INCLUDE: expected a file"},
        {"@ SOA a b 1 1 1 1 1", "a second SOA record; the first is at "},
        {"x SOA a b 1 1 1 1 1", "a SOA record belongs at the zone's own name"},
        {"ns1 CNAME y", "has a CNAME, and nothing else may stand beside it"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.line));
        const Loaded loaded = zone(head + row.line + "\ngood A 192.0.2.1\n");
        const std::string told = loaded.told();
        CAPTURE(told);
        CHECK_FALSE(loaded.model);
        REQUIRE(loaded.problems.errors() == 1);
        CHECK(told.find(row.message) != std::string::npos);
        const bool other = told.starts_with("a.zone:5: error: ns1"); // the address beside the new CNAME
        CHECK((told.starts_with("a.zone:6: error: ") || other));
    }
    std::string all = head;
    for (const Row& row : rows) all += std::string(row.line) + '\n';
    CHECK(zone(all).problems.errors() == 21); // twenty, and that it is enough
}

TEST_CASE("an open parenthesis is an error at the record it belongs to") {
    const Loaded loaded = zone(head + "x TXT ( a\nb\nc\n");
    CHECK(loaded.told() == "a.zone:6: error: a parenthesis is not closed before the end of the file\n");
}

TEST_CASE("a record given twice is one, with a warning") {
    const Loaded loaded = zone(head + "x A 192.0.2.1\nX A 192.0.2.1\n");
    CHECK(at(loaded, "x.a.example").size() == 1);
    CHECK(loaded.told().find("a.zone:7: warning: this record is given twice; first at a.zone:6") !=
          std::string::npos);
}

TEST_CASE("a service collides with static addresses and with delegations, not with other types") {
    const auto with = [](const std::string& records) {
        return Loaded("zones:\n  a.example:\n    nameservers: {ns1: [192.0.2.1]}\n    records:\n" + records +
                      "datacenters: {east: {}, west: {}}\nservices:\n  w.a.example: {policy: weighted, "
                      "unchecked: true, endpoints: {east: {addresses: [192.0.2.9]}}}\n");
    };
    CHECK(with("      - \"w TXT hello\"\n").model);
    CHECK(with("      - \"x A 192.0.2.1\"\n      - \"w A 192.0.2.1\"\n")
              .told()
              .find("fairway.yaml:6:9: error: w.a.example is a service (fairway.yaml:9:3) and cannot have "
                    "addresses") != std::string::npos);
    CHECK_FALSE(with("      - \"w CNAME x\"\n").model);
    const Loaded under("zones:\n  a.example:\n    nameservers: {ns1: [192.0.2.1]}\n    records: [\"sub NS "
                       "ns.example.net.\"]\n"
                       "datacenters: {east: {}, west: {}}\nservices:\n  w.sub.a.example: {policy: weighted, "
                       "unchecked: true, endpoints: {east: {addresses: [192.0.2.9]}}}\n");
    CHECK(under.told().find("lies under the delegation sub.a.example") != std::string::npos);
}

TEST_CASE("a zone of many records is one buffer, whatever is read from it") {
    std::string file = head;
    for (int i = 0; i < 20000; ++i)
        file += "h" + std::to_string(i) + " A 10.0." + std::to_string(i / 256) + '.' +
                std::to_string(i % 256) + '\n';
    const Loaded loaded = zone(file);
    REQUIRE(loaded.model);
    CHECK(loaded.model->zones[0].records.size() == 20003);
    CHECK(at(loaded, "h19999.a.example") == Texts{"300 1 0a004e1f"});
}

TEST_CASE("words are cut at blanks, quotes keep them together") {
    std::string_view text = "  a \"b \\\" c\"d  e\\ f";
    CHECK(take_word(text) == "a");
    CHECK(take_word(text) == "\"b \\\" c\"");
    CHECK(take_word(text) == "d");
    CHECK(take_word(text) == "e\\ f");
    CHECK(take_word(text).empty());
}

TEST_CASE("service bindings are read and refused as RFC 9460 appendix D has it") {
    const std::string foo = "03666f6f076578616d706c6503636f6d00", org = "03666f6f076578616d706c65036f726700";
    const std::pair<const char*, std::string> right[] = {
        {"HTTPS 0 foo.example.com.", "65 0000" + foo},
        {"SVCB 1 .", "64 000100"},
        {"SVCB 16 foo.example.com. port=53", "64 0010" + foo + "000300020035"},
        {"SVCB 1 foo.example.com. key667=hello", "64 0001" + foo + "029b000568656c6c6f"},
        {"SVCB 1 foo.example.com. key667=\"hello\\210qoo\"", "64 0001" + foo + "029b000968656c6c6fd2716f6f"},
        {"SVCB 1 foo.example.com. ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
         "64 0001" + foo + "0006002020010db800000000000000000000000120010db8000000000000000000530001"},
        {"SVCB 1 example.com. ipv6hint=\"2001:db8:122:344::192.0.2.33\"",
         "64 0001076578616d706c6503636f6d000006001020010db8012203440000" + std::string("0000c0000221")},
        {"SVCB 16 foo.example.org. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1 )",
         "64 0010" + org + "00000004000100040001000902683205" + "68332d3139" + "00040004c0000201"},
        {"SVCB 16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"",
         "64 0010" + org + "0001000c08665c6f6f2c626172026832"},
        {"SVCB 16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2",
         "64 0010" + org + "0001000c08665c6f6f2c626172026832"},
        {"HTTPS 1 . ech=AEX+DQ==", "65 0001000005000400" + std::string("45fe0d")},
        {"HTTPS \\# 3 000100", "65 000100"},
    };
    for (const auto& [text, wire] : right) {
        CAPTURE(text);
        CHECK(at(zone(head + "x " + text + "\n"), "x.a.example") == Texts{"300 " + wire});
    }
    for (const char* wrong :
         {"SVCB 1 foo.example.com. ( key123=abc key123=def )", "SVCB 1 foo.example.com. mandatory",
          "SVCB 1 foo.example.com. alpn", "SVCB 1 foo.example.com. port", "SVCB 1 foo.example.com. ipv4hint",
          "SVCB 1 foo.example.com. ipv6hint", "SVCB 1 foo.example.com. no-default-alpn=abc",
          "SVCB 1 foo.example.com. mandatory=key123", "SVCB 1 foo.example.com. mandatory=mandatory",
          "SVCB 1 foo.example.com. ( mandatory=key123,key123 key123=abc )", "SVCB 70000 .", "SVCB 1",
          "HTTPS 1 . alpn=a,,b", "HTTPS 1 . ipv4hint=2001:db8::1", "HTTPS 1 . speed=9"}) {
        CAPTURE(wrong);
        CHECK(zone(head + "x " + wrong + "\n").problems.errors() == 1);
    }
}
