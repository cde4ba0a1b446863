#include "config/load/mapping.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace fairway::load {
namespace {

std::optional<double> number(std::string_view text) {
    double d = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(d)) return std::nullopt;
    return d;
}

std::string plain(double d) {
    char out[32];
    std::snprintf(out, sizeof out, "%.15g", d);
    return out;
}

std::string bound(const Key& key, double d) {
    if (key.type == Type::share) return plain(d * 100) + '%';
    if (key.type != Type::duration && key.type != Type::seconds) return plain(d);
    return to_string(
        std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(d * 1000)));
}

bool in_range(const Node& n, const Key& key, double d, Diagnostics& problems) {
    if (d >= key.least && d <= key.most) return true;
    std::string range = "at least " + bound(key, key.least);
    if (std::isfinite(key.most)) range = bound(key, key.least) + " to " + bound(key, key.most);
    problems.error(n.place(), std::string(key.name()) + ": expected " + range + ", found " + n.describe());
    return false;
}

/// A whole number without sign, in digits.
std::optional<std::uint64_t> whole(const Node& n) {
    std::uint64_t value = 0;
    const std::string_view t = n.text;
    auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), value);
    if (!n.is_scalar() || error != std::errc{} || end != t.data() + t.size()) return std::nullopt;
    return value;
}

std::optional<double> share(const Node& n) {
    if (!n.is_scalar()) return std::nullopt;
    if (n.text == "0") return 0.0; // nothing needs no unit
    if (!n.text.ends_with('%')) return std::nullopt;
    auto d = number(std::string_view(n.text).substr(0, n.text.size() - 1));
    if (d) *d /= 100;
    return d;
}

std::string_view element_name(const Key& key) {
    if (key.name() != "[]" && key.name() != "*") return key.name();
    const std::string_view list = key.parent();
    return list.substr(list.rfind('.') + 1);
}

} // namespace

void wrong(const Node& n, const Key& key, Diagnostics& problems, std::string_view what) {
    problems.error(n.place(), std::string(element_name(key)) + ": expected " +
                                  std::string(what.empty() ? describe(key.type) : what) + ", found " +
                                  n.describe());
}

bool read_value(const Node& n, const Key& key, bool& out, Diagnostics& problems) {
    assert(key.type == Type::boolean);
    const bool yes = n.text == "true";
    if (!n.is_scalar() || n.quoted || (!yes && n.text != "false")) return wrong(n, key, problems), false;
    out = yes;
    return true;
}

bool read_value(const Node& n, const Key& key, unsigned& out, Diagnostics& problems) {
    assert(key.type == Type::count);
    const auto value = whole(n);
    if (!value) return wrong(n, key, problems), false;
    if (!in_range(n, key, static_cast<double>(*value), problems)) return false;
    assert(key.most <= 4294967295.0);
    out = static_cast<unsigned>(*value);
    return true;
}

bool read_value(const Node& n, const Key& key, std::uint16_t& out, Diagnostics& problems) {
    assert(key.type == Type::port);
    const auto value = whole(n);
    if (!value || *value < 1 || *value > 65535) return wrong(n, key, problems), false;
    out = static_cast<std::uint16_t>(*value);
    return true;
}

bool read_value(const Node& n, const Key& key, double& out, Diagnostics& problems) {
    assert(key.type == Type::decimal || key.type == Type::share);
    const auto value = key.type == Type::share ? share(n) : n.is_scalar() ? number(n.text) : std::nullopt;
    if (!value) return wrong(n, key, problems), false;
    if (!in_range(n, key, *value, problems)) return false;
    out = *value;
    return true;
}

bool read_value(const Node& n, const Key& key, Duration& out, Diagnostics& problems) {
    assert(key.type == Type::duration || key.type == Type::seconds);
    const auto value = n.is_scalar() ? parse_duration(n.text) : std::nullopt;
    if (!value && whole(n))
        return wrong(n, key, problems, "a duration with its unit such as " + n.text + "s"), false;
    if (!value || (key.type == Type::seconds && *value % 1s != 0s)) return wrong(n, key, problems), false;
    if (!in_range(n, key, std::chrono::duration<double>(*value).count(), problems)) return false;
    out = *value;
    return true;
}

bool read_value(const Node& n, const Key& key, std::string& out, Diagnostics& problems) {
    if (!n.is_scalar() || n.text.empty() || n.text.find('\0') != n.text.npos)
        return wrong(n, key, problems), false;
    out = key.type == Type::path ? n.path().string() : n.text;
    return true;
}

bool read_value(const Node& n, const Key& key, IpAddress& out, Diagnostics& problems) {
    assert(key.type == Type::address);
    const auto value = n.is_scalar() ? IpAddress::parse(n.text) : std::nullopt;
    if (!value) return wrong(n, key, problems), false;
    if (value->unspecified()) return wrong(n, key, problems, "an address clients can reach"), false;
    out = *value;
    return true;
}

bool read_value(const Node& n, const Key& key, SocketAddress& out, Diagnostics& problems) {
    assert(key.type == Type::socket);
    const auto value = n.is_scalar() ? SocketAddress::parse(n.text) : std::nullopt;
    if (!value) return wrong(n, key, problems), false;
    out = *value;
    return true;
}

bool read_value(const Node& n, const Key& key, Prefix& out, Diagnostics& problems) {
    assert(key.type == Type::prefix);
    const auto value = n.is_scalar() ? Prefix::parse(n.text) : std::nullopt;
    if (!value) return wrong(n, key, problems), false;
    out = *value;
    return true;
}

} // namespace fairway::load
