#include "probes/checks/password.hpp"

#include <fstream>

namespace fairway::probes {

std::optional<std::string> password_in(const std::string& file) {
    std::string line;
    if (file.empty()) return line;
    std::ifstream in(file);
    if (!in) return std::nullopt;
    std::getline(in, line);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
}

} // namespace fairway::probes
