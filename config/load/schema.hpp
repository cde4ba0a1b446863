// The one description of every key: what the reader checks against, what `fairwayctl check-config --keys`
// lists, and what the manual and the editors' schema are made from.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace fairway::load {

enum class Type : std::uint8_t {
    mapping,
    list,
    text,
    word,
    path,
    boolean,
    count,
    decimal,
    share,
    duration,
    seconds,
    port,
    address,
    socket,
    prefix,
    name,
    url,
    expression,
    any,
};
std::string_view describe(Type t); ///< what is expected, for people: "a duration such as 2s"

/// A key and what belongs there. In `path`, `*` is a name of the user's and `[]` an element of a list.
struct Key {
    std::string_view path;
    Type type = Type::any;
    std::string_view fallback;   ///< the default as it would be written; empty: there is none
    std::string_view doc;        ///< one line
    std::string_view words = {}; ///< of Type::word: what may be said, "a | b"
    double least = 0;            ///< of numbers; of durations in seconds
    double most = std::numeric_limits<double>::infinity();
    bool supported = true; ///< false: known, and refused as "not supported yet"
    bool required = false;

    constexpr Key within(double low, double high) const {
        Key k = *this;
        k.least = low, k.most = high;
        return k;
    }
    constexpr Key one_of(std::string_view list) const {
        Key k = *this;
        k.words = list;
        return k;
    }
    constexpr Key always() const {
        Key k = *this;
        k.required = true;
        return k;
    }
    std::string_view name() const { return path.substr(path.rfind('.') + 1); }
    std::string_view parent() const { return path.substr(0, path.size() - name().size() - (path != name())); }
};

std::span<const Key> keys();                                 ///< all of them, each after its parent
const Key* find_key(std::string_view path);                  ///< null if there is none
std::span<const Key* const> children(std::string_view path); ///< of a mapping; "" is the file itself

} // namespace fairway::load
