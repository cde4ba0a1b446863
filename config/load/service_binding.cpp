#include "config/load/service_binding.hpp"

#include "config/address.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace fairway::load {
namespace {

enum Key : std::uint16_t { mandatory, alpn, no_default_alpn, port, ipv4hint, ech, ipv6hint, dohpath };
constexpr std::string_view names[] = {"mandatory", "alpn", "no-default-alpn", "port",
                                      "ipv4hint",  "ech",  "ipv6hint",        "dohpath"};
constexpr unsigned invalid_key = 65535; // RFC 9460 section 14.3.2

using Value = std::string; // octets

std::optional<unsigned> number(std::string_view text, unsigned most) {
    unsigned n = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (wrong != std::errc{} || end != text.data() + text.size() || n > most) return std::nullopt;
    return n;
}

void append16(Value& to, std::size_t n) {
    to += static_cast<char>(n >> 8);
    to += static_cast<char>(n);
}

std::optional<unsigned> key_of(std::string_view word) {
    for (unsigned k = 0; k < std::size(names); ++k)
        if (word == names[k]) return k;
    if (!word.starts_with("key") || (word.size() > 4 && word[3] == '0')) return std::nullopt;
    return number(word.substr(3), invalid_key - 1);
}

/// Takes octets up to a blank outside quotes, escapes resolved (RFC 1035 section 5.1), off the front.
std::optional<Value> take_value(std::string_view& text) {
    Value out;
    bool quoted = false;
    std::size_t i = 0;
    for (; i < text.size() && (quoted || text[i] != ' '); ++i) {
        if (text[i] == '"') {
            quoted = !quoted;
        } else if (text[i] != '\\') {
            out += text[i];
        } else if (i + 3 < text.size() && number(text.substr(i + 1, 3), 255)) {
            out += static_cast<char>(*number(text.substr(i + 1, 3), 255));
            i += 3;
        } else if (++i == text.size() || (text[i] >= '0' && text[i] <= '9')) {
            return std::nullopt;
        } else {
            out += text[i];
        }
    }
    text.remove_prefix(i);
    return out;
}

/// Parts between commas; `\,` and `\\` stand for themselves (appendix A.1). Nothing where a part is empty.
std::vector<Value> list_of(const Value& value) {
    std::vector<Value> parts(1);
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == ',') parts.emplace_back();
        else parts.back() += value[i] == '\\' && i + 1 < value.size() ? value[++i] : value[i];
    }
    if (std::any_of(parts.begin(), parts.end(), [](const Value& p) { return p.empty(); })) parts.clear();
    return parts;
}

std::optional<Value> base64(std::string_view text) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.empty() || text.size() % 4) return std::nullopt;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=");
    Value out;
    unsigned bits = 0;
    for (std::size_t i = 0; i + padding < text.size(); ++i) {
        const auto digit = digits.find(text[i]);
        if (digit == digits.npos) return std::nullopt;
        bits = bits << 6 | static_cast<unsigned>(digit);
        if (i % 4) out += static_cast<char>(bits >> (6 - 2 * (i % 4)));
    }
    return out;
}

std::optional<Value> hints(const Value& value, Family family) {
    Value out;
    for (const Value& part : list_of(value)) {
        const auto a = IpAddress::parse(part);
        if (!a || a->family != family) return std::nullopt;
        out.append(a->bytes.begin(), a->bytes.begin() + static_cast<std::ptrdiff_t>(a->size()));
    }
    return out.empty() ? std::nullopt : std::optional(out);
}

std::optional<Value> mandatory_keys(const Value& value) {
    std::vector<unsigned> keys;
    for (const Value& part : list_of(value)) {
        const auto key = key_of(part);
        if (!key || *key == mandatory) return std::nullopt;
        keys.push_back(*key);
    }
    std::sort(keys.begin(), keys.end());
    if (keys.empty() || std::adjacent_find(keys.begin(), keys.end()) != keys.end()) return std::nullopt;
    Value out;
    for (const unsigned k : keys) append16(out, k);
    return out;
}

std::optional<Value> protocols(const Value& value) {
    Value out;
    for (const Value& id : list_of(value)) {
        if (id.size() > 255) return std::nullopt;
        out += static_cast<char>(id.size());
        out += id;
    }
    return out.empty() ? std::nullopt : std::optional(out);
}

/// The wire form of a parameter's value; nothing if it is wrong.
std::optional<Value> wire_value(unsigned key, const Value& value) {
    switch (key) {
    case mandatory: return mandatory_keys(value);
    case alpn: return protocols(value);
    case no_default_alpn: return value.empty() ? std::optional(value) : std::nullopt;
    case port:
        if (const auto n = number(value, 65535)) {
            Value out;
            append16(out, *n);
            return out;
        }
        return std::nullopt;
    case ipv4hint: return hints(value, Family::v4);
    case ech: return base64(value);
    case ipv6hint: return hints(value, Family::v6);
    default: return value;
    }
}

std::string_view take_blanks(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    return text;
}

std::string_view take_until(std::string_view& text, std::string_view ends) {
    const std::string_view word = text.substr(0, std::min(text.find_first_of(ends), text.size()));
    text.remove_prefix(word.size());
    return word;
}

class Parameters {
  public:
    bool read(std::string_view& text, std::string& error) {
        const std::string_view word = take_until(text, "= ");
        const auto key = key_of(word);
        if (!key) return fail(error, word, "there is no such parameter");
        std::optional<Value> value(Value{});
        if (text.starts_with('=')) {
            text.remove_prefix(1);
            value = take_value(text);
        }
        const bool generic = word.starts_with("key"); // appendix A.2: octets as they are
        if (value && !generic) value = wire_value(*key, *value);
        if (!value || value->size() > 65535) return fail(error, word, "its value is missing or wrong");
        if (!found_.emplace(*key, *value).second) return fail(error, word, "it is given twice");
        return true;
    }

    bool whole(std::string& error) const {
        if (found_.contains(no_default_alpn) && !found_.contains(alpn))
            return fail(error, names[no_default_alpn], "there is no `alpn` beside it");
        const auto must = found_.find(mandatory);
        for (std::size_t i = 0; must != found_.end() && i + 1 < must->second.size(); i += 2) {
            const auto at = [&](std::size_t n) { return static_cast<unsigned char>(must->second[n]); };
            if (!found_.contains(static_cast<unsigned>(at(i) << 8 | at(i + 1))))
                return fail(error, names[mandatory], "it names a parameter that is missing");
        }
        return true;
    }

    void append_to(Value& out) const { // in ascending order, as the map has them
        for (const auto& [key, value] : found_) {
            append16(out, key);
            append16(out, value.size());
            out += value;
        }
    }

  private:
    static bool fail(std::string& error, std::string_view word, std::string_view why) {
        error = "parameter `" + std::string(word) + "`: " + std::string(why);
        return false;
    }
    std::map<unsigned, Value> found_;
};

} // namespace

std::optional<std::vector<std::uint8_t>> parse_service_binding(std::string_view data, const Name& origin,
                                                               std::string& error) {
    std::string_view rest = take_blanks(data);
    const std::string_view word = take_until(rest, " ");
    const auto priority = number(word, 65535);
    if (!priority) {
        error = "expected a priority up to 65535, found `" + std::string(word) + '`';
        return std::nullopt;
    }
    rest = take_blanks(rest);
    const std::string_view host = take_until(rest, " ");
    const auto target = Name::parse(host, origin);
    if (!target) {
        error = "expected a target name, found `" + std::string(host) + '`';
        return std::nullopt;
    }
    Parameters parameters;
    for (rest = take_blanks(rest); !rest.empty(); rest = take_blanks(rest))
        if (!parameters.read(rest, error)) return std::nullopt;
    if (!parameters.whole(error)) return std::nullopt;
    Value out;
    append16(out, *priority);
    out.append(target->wire().begin(), target->wire().end());
    parameters.append_to(out);
    return std::vector<std::uint8_t>(out.begin(), out.end());
}

} // namespace fairway::load
