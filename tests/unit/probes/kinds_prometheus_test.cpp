// prometheus: a question to somebody else about the target.
#include "tests/unit/probes/kinds.hpp"

using namespace fairway;
using namespace fairway::testing;

TEST_CASE("prometheus: the samples are compared; what is not known of the target is unknown") {
    PrometheusCheck check;
    check.query = "up{instance=\"$address:$port\",dc='$datacenter',x='$host'}";
    check.value = Comparison::parse("== 1");
    std::string request;
    const auto answer = [&](std::string status, std::string text) {
        const FaultServer server([&](Peer& p) {
            request = p.read_until("\r\n\r\n");
            p.write("HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" +
                    text);
            p.ended();
        });
        check.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/prom/";
        return looks(check_of(check), nowhere, 1).front();
    };
    const auto vector = [](const std::string& samples) {
        return R"({"status":"success","data":{"resultType":"vector","result":[)" + samples + "]}}";
    };
    const Observation up = answer("200 OK", vector(R"({"metric":{},"value":[1,"1"]})"));
    CHECK_SEEN(up, pass, ok);
    CHECK(up.facts.load == 1.0);
    CHECK(request.starts_with(
        "GET /prom/api/v1/query?query=up%7Binstance%3D%22127.0.0.1%3A9%22%2Cdc%3D%27east%27%2C"
        "x%3D%27shop.test%27%7D HTTP/1.1\r\n"));
    CHECK_SEEN(answer("200 OK", vector(R"({"value":[1,"1"]},{"value":[1,"0"]})")), fail, body_mismatch);
    CHECK_SEEN(answer("200 OK", R"({"status":"success","data":{"resultType":"scalar","result":[1,"1"]}})"),
               pass, ok);
    CHECK_SEEN(answer("200 OK", vector("")), unknown, no_data);
    CHECK_SEEN(answer("200 OK", vector(R"({"value":[1,"NaN"]})")), unknown, no_data);
    CHECK_SEEN(answer("200 OK", "<html>"), unknown, no_data);
    CHECK_SEEN(answer("503 Busy", ""), unknown, no_data);
    const Observation bad = answer("400 Bad", R"({"status":"error","error":"parse error"})");
    CHECK_SEEN(bad, unknown, no_data);
    CHECK(bad.detail == "prometheus: HTTP 400 parse error");
    const DeadPort refusing(DeadPort::Kind::refusing), silent(DeadPort::Kind::silent);
    check.url = "http://127.0.0.1:" + std::to_string(refusing.port());
    CHECK_SEEN(once(check, 9), unknown, no_data);
    check.url = "http://127.0.0.1:" + std::to_string(silent.port());
    CHECK_SEEN(once(check, 9, soon), unknown, no_data);
}

TEST_CASE("prometheus: of a query by (dc) the load is that of the sample with our datacenter's label") {
    PrometheusCheck check;
    check.query = "sum by (dc) (rate(requests[1m]))";
    const auto load = [&](const std::string& samples) {
        const FaultServer server(
            body(R"({"status":"success","data":{"resultType":"vector","result":[)" + samples + "]}}"));
        check.url = "http://127.0.0.1:" + std::to_string(server.port());
        const Observation seen = looks(check_of(check), nowhere, 1).front();
        CHECK_SEEN(seen, pass, ok);
        return seen.facts.load;
    };
    CHECK(load(R"({"metric":{"dc":"west"},"value":[1,"7"]},{"metric":{"dc":"east"},"value":[1,"950.5"]})") ==
          950.5);
    CHECK(load(R"({"metric":{"datacenter":"east"},"value":[1,"3"]})") == 3.0);
    CHECK_FALSE(load(R"({"metric":{"dc":"west"},"value":[1,"7"]})")); // not ours, though it is the only one
    CHECK_FALSE(load(R"({"metric":{"pod":"a"},"value":[1,"7"]},{"metric":{"pod":"b"},"value":[1,"8"]})"));
}
