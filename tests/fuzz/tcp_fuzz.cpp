// libFuzzer: any octets on a TCP connection. The corpus beside it began as framed seed_queries().
#include "tests/fuzz/tcp_stream.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fairway::dns::testing::check_tcp_stream({data, size});
    return 0;
}
