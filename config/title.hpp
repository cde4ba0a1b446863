// A service as people and records name it: by its domain name, and where its families are decided apart with
// the type that its half answers, "www.example.com AAAA".
#pragma once

#include "config/address.hpp"
#include "config/name.hpp"

namespace fairway {

struct Title {
    Name name;
    std::optional<Family> family; ///< unset: a service that answers both, or both halves of one

    static std::optional<Title> parse(std::string_view text);
    std::string to_string() const; ///< "www.example.com", "www.example.com AAAA"
    bool operator==(const Title&) const = default;
};

/// Does `said` mean what is titled `title`? A bare name means both halves.
bool means(std::string_view said, std::string_view title);

} // namespace fairway
