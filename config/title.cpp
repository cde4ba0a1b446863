#include "config/title.hpp"

#include <algorithm>
#include <array>

namespace fairway {

namespace {

struct Half {
    std::string_view suffix;
    Family family;
};
constexpr std::array<Half, 2> halves{{{" A", Family::v4}, {" AAAA", Family::v6}}};

bool same_letter(char a, char b) { return a == b || (a >= 'a' && a <= 'z' && a - 'a' + 'A' == b); }

} // namespace

std::optional<Title> Title::parse(std::string_view text) {
    std::optional<Family> family;
    for (const Half& h : halves) {
        if (text.size() < h.suffix.size()) continue;
        const std::string_view end = text.substr(text.size() - h.suffix.size());
        if (!std::ranges::equal(end, h.suffix, same_letter)) continue;
        family = h.family;
        text.remove_suffix(h.suffix.size());
        break;
    }
    auto name = Name::parse(text);
    if (!name) return std::nullopt;
    return Title{std::move(*name), family};
}

std::string Title::to_string() const {
    std::string text = name.to_string();
    for (const Half& h : halves)
        if (h.family == family) text += h.suffix;
    return text;
}

bool means(std::string_view said, std::string_view title) {
    if (!title.starts_with(said)) return false;
    title.remove_prefix(said.size());
    return title.empty() || std::ranges::find(halves, title, &Half::suffix) != halves.end();
}

} // namespace fairway
