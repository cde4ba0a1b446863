// libFuzzer: any bytes as a query. The corpus beside it was merged from seed_queries() and what runs have
// found.
#include "tests/fuzz/query_world.hpp"

using namespace fairway::dns::testing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto snapshot = fuzz_world();
    check_answer({data, size}, *snapshot);
    return 0;
}
