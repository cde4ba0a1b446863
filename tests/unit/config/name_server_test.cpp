// dns: what a right configuration of the name server becomes, and that secrets stay secret.
#include "tests/unit/config/fixture.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace fairway;
using namespace fairway::load;

namespace {

const std::string one = "00112233445566778899aabbccddeeff", two = "FFEEDDCCBBAA99887766554433221100";

const DnsSettings& dns(const Loaded& loaded) {
    INFO(loaded.told());
    REQUIRE(loaded.model);
    return loaded.model->dns;
}

Loaded with_secrets(const std::string& content) {
    return Loaded(base + "dns: {cookies: {secrets: cookie.secrets}}\n", {{"cookie.secrets", content}});
}

} // namespace

TEST_CASE("without a word about it, cookies have a secret of this process, and nothing else is on") {
    const Loaded first(base), second(base + "dns: {cookies: {required: true}}\n");
    REQUIRE(dns(first).cookies.secrets.size() == 1);
    CHECK(dns(first).cookies.secrets != std::vector{CookieSettings::Secret{}});
    CHECK(dns(first).cookies.secrets == dns(second).cookies.secrets); // as after a reload
    CHECK_FALSE(dns(first).cookies.required);
    CHECK(dns(second).cookies.required);
    CHECK_FALSE(dns(first).rate_limit.on());
    CHECK(dns(first).chaos.version.empty());
    CHECK(dns(first).chaos.identity.empty());
    const Loaded off(base + "dns: {cookies: {enabled: false, required: true}}\n");
    CHECK(dns(off).cookies.secrets.empty());
}

TEST_CASE("shared secrets come from a file, the first makes cookies") {
    const Loaded loaded = with_secrets("# of all our name servers\n\n  " + one + "\r\n" + two + " \n");
    const auto& secrets = dns(loaded).cookies.secrets;
    REQUIRE(secrets.size() == 2);
    CHECK(secrets[0][1] == 0x11);
    CHECK(secrets[1][0] == 0xff);
    CHECK(secrets[1][15] == 0x00);
    // The fixture's file may be read by everybody: that is said.
    CHECK(loaded.told().find("everybody on this machine may read the secrets") != std::string::npos);
}

TEST_CASE("what is wrong with a secret is told without the secret") {
    for (const std::string& content : {std::string(), one + "\n" + two + "\n" + one, one.substr(1), one + "0",
                                       "0x" + one.substr(2), one + "\n" + two.substr(0, 31) + "g"}) {
        const Loaded loaded = with_secrets(content);
        CAPTURE(loaded.told());
        CHECK_FALSE(loaded.model);
        CHECK(loaded.problems.errors() == 1);
        for (const auto& secret : {one, two})
            for (std::size_t i = 0; i + 8 <= secret.size(); ++i)
                CHECK(loaded.told().find(secret.substr(i, 8)) == std::string::npos);
    }
}

TEST_CASE("rate limiting: a rate for all classes, others for some") {
    const Loaded brief(base + "dns: {rate_limit: 200}\n");
    CHECK(dns(brief).rate_limit.on());
    CHECK(dns(brief).rate_limit.rates == std::array<unsigned, 5>{200, 200, 200, 200, 200});
    const Loaded full(base +
                      "dns: {rate_limit: {responses_per_second: 50, nxdomain: 5, answer: 0, slip: 1, "
                      "ipv4_prefix: 32, ipv6_prefix: 64, exempt: [192.0.2.0/24, \"2001:db8::/32\"]}}\n");
    const auto& limit = dns(full).rate_limit;
    CHECK(limit.rates == std::array<unsigned, 5>{0, 50, 5, 50, 50});
    CHECK(limit.slip == 1);
    CHECK(limit.ipv4_length == 32);
    CHECK(limit.ipv6_length == 64);
    CHECK(limit.exempt == std::vector{*Prefix::parse("192.0.2.0/24"), *Prefix::parse("2001:db8::/32")});
}

TEST_CASE("TCP's limits and the server's names") {
    const Loaded loaded(base + "dns: {chaos: {version: 1, identity: ns1}, "
                               "tcp: {connections: 50, per_client: 5, idle: 3s, total: 30s}}\n");
    CHECK(dns(loaded).chaos.version == "1");
    CHECK(dns(loaded).chaos.identity == "ns1");
    CHECK(dns(loaded).tcp.connections == 50);
    CHECK(dns(loaded).tcp.per_client == 5);
    CHECK(dns(loaded).tcp.idle == 3s);
    CHECK(dns(loaded).tcp.total == 30s);
}

TEST_CASE("a worker looks on before it sleeps only if that is said, and not for long") {
    CHECK(dns(Loaded(base)).spin == Duration::zero());
    CHECK(dns(Loaded(base + "dns: {spin: 200us}\n")).spin == 200us);
    CHECK_FALSE(Loaded(base + "dns: {spin: 1s}\n").model);
}
