// libFuzzer: any text as a zone. The corpus beside it began as seed_zones().
#include "tests/fuzz/zone_text.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fairway::dns::testing::check_zone_text({reinterpret_cast<const char*>(data), size});
    return 0;
}
