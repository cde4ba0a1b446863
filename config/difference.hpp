// What one configuration says otherwise than another, key by key: what an operator reads before a reload.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace fairway {

/// What a configuration says: every key with the value that was written there, in the order of the keys.
/// Parts of a key are kept apart by `Written::within`, because names of services have dots.
struct Written {
    static constexpr char within = '\x1f';
    struct Line {
        std::string key, value; ///< a list of plain values is one value: "[a, b]"
        auto operator<=>(const Line&) const = default;
    };
    std::vector<Line> lines;
};

/// A key that is not what it was; a section that came or went is one, without its values.
struct KeyChange {
    enum class Kind { added, removed, changed };
    Kind kind = Kind::changed;
    std::string key;                   ///< "services.www.example.com.ttl"
    std::optional<std::string> before, ///< unset of a section, and of what was not there
        after;
};

/// In the order of the keys. Values that may hold a secret (addresses of web hooks, request headers) are not
/// shown.
std::vector<KeyChange> differences(const Written& before, const Written& after);

} // namespace fairway
