#include "probes/glue/bson.hpp"

#include <bit>
#include <cmath>

namespace fairway::probes {

namespace {

// The types that hello's answer has; their values' lengths.
constexpr char type_double = 1, type_text = 2, type_document = 3, type_array = 4, type_binary = 5,
               type_object_id = 7, type_bool = 8, type_date = 9, type_null = 10, type_int32 = 16,
               type_timestamp = 17, type_int64 = 18;

std::uint64_t read_u64(std::string_view bytes) {
    return read_u32(bytes) | std::uint64_t{read_u32(bytes.substr(4))} << 32;
}

/// How many bytes a value at the begin of `rest` takes; nothing: unknown, or more than there are.
std::optional<std::size_t> size_of(char type, std::string_view rest) {
    std::size_t n = 0;
    switch (type) {
    case type_null: break;
    case type_bool: n = 1; break;
    case type_int32: n = 4; break;
    case type_double:
    case type_date:
    case type_timestamp:
    case type_int64: n = 8; break;
    case type_object_id: n = 12; break;
    case type_text:
    case type_binary:
    case type_document:
    case type_array: {
        if (rest.size() < 4) return std::nullopt;
        n = read_u32(rest);
        n += type == type_text ? 4 : type == type_binary ? 5 : 0; // documents count themselves
        if (n < 5) return std::nullopt;                           // none of these is shorter
        break;
    }
    default: return std::nullopt;
    }
    return n <= rest.size() ? std::optional(n) : std::nullopt;
}

} // namespace

std::uint32_t read_u32(std::string_view bytes) {
    std::uint32_t n = 0;
    for (std::size_t i = 4; i-- > 0;) n = n << 8 | static_cast<unsigned char>(bytes[i]);
    return n;
}

std::string written_u32(std::uint32_t n) {
    std::string out;
    for (int i = 0; i < 4; ++i, n >>= 8) out += static_cast<char>(n & 0xff);
    return out;
}

std::optional<Bson> Bson::parse(std::string_view bytes) {
    if (bytes.size() < 5 || read_u32(bytes) != bytes.size() || bytes.back() != 0) return std::nullopt;
    return Bson(bytes.substr(4, bytes.size() - 5));
}

/// The next element, taken off `rest`.
std::optional<Bson::Value> Bson::take(std::string_view& rest, std::string_view& name) {
    const char type = rest.front();
    const std::size_t end = rest.find('\0', 1);
    if (end == rest.npos) return std::nullopt;
    name = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    const auto size = size_of(type, rest);
    if (!size) return std::nullopt;
    const Value value{type, rest.substr(0, *size)};
    rest.remove_prefix(*size);
    return value;
}

std::optional<Bson::Value> Bson::find(std::string_view path) const {
    const std::size_t dot = path.find('.');
    std::string_view rest = elements_, name;
    while (!rest.empty()) {
        const auto value = take(rest, name);
        if (!value) return std::nullopt;
        if (name != path.substr(0, dot)) continue;
        if (dot == path.npos) return value;
        const auto inner = value->type == type_document ? parse(value->bytes) : std::nullopt;
        return inner ? inner->find(path.substr(dot + 1)) : std::nullopt;
    }
    return std::nullopt;
}

std::optional<bool> Bson::flag(std::string_view path) const {
    const auto v = find(path);
    return v && v->type == type_bool ? std::optional(v->bytes[0] != 0) : std::nullopt;
}

std::optional<std::int64_t> Bson::number(std::string_view path) const {
    const auto v = find(path);
    if (!v) return std::nullopt;
    if (v->type == type_int32) return static_cast<std::int32_t>(read_u32(v->bytes));
    if (v->type == type_int64 || v->type == type_date) return static_cast<std::int64_t>(read_u64(v->bytes));
    if (v->type != type_double) return std::nullopt;
    const auto d = std::bit_cast<double>(read_u64(v->bytes));
    const bool whole = std::abs(d) < 9e15 && d == std::floor(d); // what a double holds exactly
    return whole ? std::optional(static_cast<std::int64_t>(d)) : std::nullopt;
}

std::optional<std::string> Bson::text(std::string_view path) const {
    const auto v = find(path);
    if (!v || v->type != type_text) return std::nullopt;
    return std::string(v->bytes.substr(4, v->bytes.size() - 5)); // without length and final zero
}

std::optional<std::string> Bson::object_id(std::string_view path) const {
    const auto v = find(path);
    return v && v->type == type_object_id ? std::optional(std::string(v->bytes)) : std::nullopt;
}

} // namespace fairway::probes
