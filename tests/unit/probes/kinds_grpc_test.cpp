// grpc: the standard health protocol. How they fail to get one: fault_matrix_test.
#include "tests/unit/probes/kinds.hpp"

using namespace fairway;
using namespace fairway::testing;

namespace {

std::string frame(char type, char flags, const std::string& payload) {
    return std::string{'\0', '\0', static_cast<char>(payload.size()), type, flags, '\0', '\0', '\0', '\1'} +
           payload;
}
std::string header(const std::string& name, const std::string& value) { // HPACK: literal, not indexed
    return std::string(1, '\0') + static_cast<char>(name.size()) + name + static_cast<char>(value.size()) +
           value;
}

/// A gRPC answer: a message, if any, and the call's status in the trailers.
Observation grpc(const std::string& message, const std::string& status, std::string* request = nullptr,
                 GrpcCheck check = {}) {
    return against(check, [&](Peer& p) {
        // All of it: curl 7.88 waits for ever if the answer is over before it has sent its last frame.
        const std::string data_frame = std::string("\0\1\0\0\0\1\0\0\0\0", 10); // DATA, END_STREAM, stream 1
        const std::string got = p.read_until(data_frame);
        if (request) *request = got;
        std::string answer = std::string("\0\0\0\4\0\0\0\0\0", 9) +
                             frame(1, 4, "\x88" + header("content-type", "application/grpc"));
        if (!message.empty()) answer += frame(0, 0, message);
        p.write(answer + frame(1, 5, header("grpc-status", status) + header("grpc-message", "why")));
        p.ended();
    });
}
std::string health(char status) { return std::string("\0\0\0\0\2\x08", 6) + status; }

} // namespace

TEST_CASE("grpc: the standard health protocol") {
    std::string request;
    CHECK_SEEN(grpc(health(1), "0", &request, GrpcCheck{"shop.v1.Orders"}), pass, ok);
    CHECK(request.find(std::string("\0\0\0\0\x10\x0a\x0eshop.v1.Orders", 21)) != std::string::npos);
    const Observation no = grpc(health(2), "0");
    CHECK_SEEN(no, fail, reported_down);
    CHECK(no.detail == "NOT_SERVING");
    CHECK_SEEN(grpc(health(3), "0"), fail, reported_down);
    CHECK_SEEN(grpc(std::string(5, '\0'), "0"), fail, reported_down); // 0, UNKNOWN, is left out on the wire
    CHECK_SEEN(grpc(health(9), "0"), fail, bad_response);
    CHECK_SEEN(grpc("", "0"), fail, bad_response);
    CHECK_SEEN(grpc(std::string("\1\0\0\0\2\x08\1", 7), "0"), fail,
               bad_response); // compressed, which was not offered
    CHECK_SEEN(grpc("", "5"), fail, reported_down);
    CHECK_SEEN(grpc("", "12"), fail, wrong_status); // the server has no such protocol
    CHECK_SEEN(grpc("", "16"), fail, auth_failure);
}
