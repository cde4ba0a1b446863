// So many of something, for people: "1 service", "2 services".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fairway {

inline std::string counted(std::size_t n, std::string_view one, std::string_view ending = "s") {
    return std::to_string(n) + " " + std::string(one) + (n == 1 ? "" : std::string(ending));
}

} // namespace fairway
