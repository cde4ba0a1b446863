#include "config/comparison.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace fairway {

namespace {

constexpr std::array<std::string_view, 6> signs{"==", "!=", "<", "<=", ">", ">="};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

} // namespace

std::optional<double> parse_number(std::string_view text) {
    double d = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(d)) return std::nullopt;
    return d;
}

std::optional<Comparison> Comparison::parse(std::string_view text) {
    Comparison c;
    text = trimmed(text);
    std::size_t longest = 0; // "<=" is not "<"
    for (std::size_t i = 0; i < signs.size(); ++i) {
        if (!text.starts_with(signs[i]) || signs[i].size() <= longest) continue;
        longest = signs[i].size();
        c.op = static_cast<Op>(i);
    }
    c.value = trimmed(text.substr(longest));
    const bool orders = c.op != Op::equal && c.op != Op::unequal;
    if (c.value.empty() || (orders && !parse_number(c.value))) return std::nullopt;
    return c;
}

bool Comparison::holds(std::string_view found) const {
    const auto a = parse_number(found), b = parse_number(value);
    const bool numbers = a && b;
    const bool same = numbers ? *a == *b : found == value;
    switch (op) {
    case Op::equal: return same;
    case Op::unequal: return !same;
    case Op::less: return numbers && *a < *b;
    case Op::at_most: return numbers && *a <= *b;
    case Op::greater: return numbers && *a > *b;
    case Op::at_least: return numbers && *a >= *b;
    }
    return false;
}

std::string Comparison::to_string() const {
    return std::string(signs[static_cast<std::size_t>(op)]) + ' ' + value;
}

} // namespace fairway
