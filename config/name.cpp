#include "config/name.hpp"

#include <algorithm>

namespace fairway {
namespace {

constexpr std::size_t max_label = 63; // RFC 1035 section 2.3.4: the upper two bits mark compression
constexpr std::size_t max_name = 255; // the same: octets in wire form, the root's included

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool digit(char c) { return c >= '0' && c <= '9'; }

/// Takes one character of presentation form, escapes resolved, off the front of `text`.
std::optional<char> take(std::string_view& text) {
    const bool escaped = text.front() == '\\';
    if (escaped) text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    if (!escaped || !digit(text[0])) {
        const char c = text.front();
        text.remove_prefix(1);
        return c;
    }
    if (text.size() < 3 || !digit(text[1]) || !digit(text[2])) return std::nullopt;
    const int value = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    text.remove_prefix(3);
    if (value > 255) return std::nullopt;
    return static_cast<char>(value);
}

/// Takes one label and the dot behind it. `dotted` says whether there was one.
std::optional<std::string> take_label(std::string_view& text, bool& dotted) {
    std::string label;
    dotted = false;
    while (!text.empty()) {
        if (text.front() == '.') {
            text.remove_prefix(1);
            dotted = true;
            break;
        }
        auto c = take(text);
        if (!c) return std::nullopt;
        label += lower(*c);
    }
    if (label.empty() || label.size() > max_label) return std::nullopt;
    return label;
}

void append_label(std::string& wire, std::string_view label) {
    wire += static_cast<char>(label.size());
    wire += label;
}

/// Labels in wire form without the root; `absolute` says whether the text ended in a dot.
std::optional<std::string> labels_of(std::string_view text, bool& absolute) {
    std::string wire;
    absolute = false;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        auto label = take_label(text, absolute);
        if (!label) return std::nullopt;
        append_label(wire, *label);
        if (wire.size() >= max_name) return std::nullopt;
    }
    return wire;
}

void append_octet(std::string& out, char c) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '.' || c == '\\' || c == '"' || c == ';' || c == '(' || c == ')' || c == '@' || c == '$') {
        out += '\\';
        out += c;
    } else if (u > 0x20 && u < 0x7f) {
        out += c;
    } else {
        out += '\\';
        out += static_cast<char>('0' + u / 100);
        out += static_cast<char>('0' + u / 10 % 10);
        out += static_cast<char>('0' + u % 10);
    }
}

} // namespace

std::optional<Name> Name::parse(std::string_view text) {
    if (text == "@") return std::nullopt; // there is no origin for it to mean
    return parse(text, Name());
}

std::optional<Name> Name::parse(std::string_view text, const Name& origin) {
    if (text == ".") return Name();
    if (text == "@") return origin;
    bool absolute = false;
    auto wire = labels_of(text, absolute);
    if (!wire) return std::nullopt;
    if (absolute) *wire += '\0';
    else *wire += origin.wire_;
    if (wire->size() > max_name) return std::nullopt;
    return Name(std::move(*wire));
}

std::optional<Name> Name::from_wire(std::span<const std::uint8_t> wire) {
    if (wire.empty() || wire.size() > max_name) return std::nullopt;
    std::string lowered;
    std::size_t at = 0;
    while (const std::size_t length = wire[at]) {
        if (length > max_label || at + length + 1 >= wire.size()) return std::nullopt;
        lowered += static_cast<char>(length);
        for (std::size_t i = 1; i <= length; ++i) lowered += lower(static_cast<char>(wire[at + i]));
        at += length + 1;
    }
    if (at + 1 != wire.size()) return std::nullopt;
    lowered += '\0';
    return Name(std::move(lowered));
}

std::string Name::to_string() const {
    if (is_root()) return ".";
    std::string out;
    for (std::size_t at = 0; wire_[at] != 0;) {
        const auto length = static_cast<std::size_t>(wire_[at]);
        if (at) out += '.';
        for (std::size_t i = 1; i <= length; ++i) append_octet(out, wire_[at + i]);
        at += length + 1;
    }
    return out;
}

std::size_t Name::labels() const {
    std::size_t n = 0;
    for (std::size_t at = 0; wire_[at] != 0; at += static_cast<std::size_t>(wire_[at]) + 1) ++n;
    return n;
}

bool Name::is_under(const Name& ancestor) const {
    std::size_t at = 0; // only label boundaries count: "xexample.com" is not under "example.com"
    while (wire_.size() - at > ancestor.wire_.size()) at += static_cast<std::size_t>(wire_[at]) + 1;
    return wire_.compare(at, wire_.npos, ancestor.wire_) == 0;
}

Name Name::parent() const {
    if (is_root()) return *this;
    return Name(wire_.substr(static_cast<std::size_t>(wire_[0]) + 1));
}

std::optional<Name> Name::child(std::string_view label) const {
    if (label.empty() || label.size() > max_label || label.size() + 1 + wire_.size() > max_name)
        return std::nullopt;
    std::string wire;
    append_label(wire, label);
    std::transform(wire.begin() + 1, wire.end(), wire.begin() + 1, lower);
    return Name(wire + wire_);
}

} // namespace fairway
