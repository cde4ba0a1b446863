// A comparison as it is written in a check: "green", "== green", "!= red", ">= 3", "< 0.8".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairway {

/// What is found against what is written. As numbers where both are numbers; else only == and != can hold.
struct Comparison {
    enum class Op : std::uint8_t { equal, unequal, less, at_most, greater, at_least };
    Op op = Op::equal;
    std::string value;

    /// Without an operator in front it is ==. Nothing for an order of what is no number, and for no value.
    static std::optional<Comparison> parse(std::string_view text);
    bool holds(std::string_view found) const;
    std::string to_string() const; ///< ">= 3"
    bool operator==(const Comparison&) const = default;
};

/// A finite decimal number, the whole text of it.
std::optional<double> parse_number(std::string_view text);

} // namespace fairway
