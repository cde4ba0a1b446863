#include "daemon/tokens.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace fairway::daemon {

bool same_secret(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    volatile unsigned char difference = 0; // volatile: no comparison may end early
    for (std::size_t i = 0; i < a.size(); ++i)
        difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

Tokens Tokens::read(const std::filesystem::path& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error(file.string() + ": " + std::strerror(errno));
    Tokens tokens;
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        const auto wrong = [&](const std::string& what) {
            return std::runtime_error(file.string() + ":" + std::to_string(number) + ": " + what);
        };
        std::istringstream words(line.substr(0, line.find('#')));
        Entry e;
        std::string more;
        if (!(words >> e.name)) continue;
        if (!(words >> e.token) || words >> more) throw wrong("expected NAME TOKEN");
        if (e.token.size() < shortest_token)
            throw wrong("the token of " + e.name + " is shorter than " + std::to_string(shortest_token) +
                        " characters; openssl rand -hex 20 makes one");
        if (tokens.owner(e.token)) throw wrong("the token of " + e.name + " is another's too");
        tokens.all_.push_back(std::move(e));
    }
    if (tokens.all_.empty()) throw std::runtime_error(file.string() + ": there is no token in it");
    return tokens;
}

std::optional<std::string> Tokens::owner(std::string_view token) const {
    std::optional<std::string> found;
    for (const Entry& e : all_) // all of them: who it is shows in no time either
        if (same_secret(e.token, token)) found = e.name;
    return found;
}

} // namespace fairway::daemon
