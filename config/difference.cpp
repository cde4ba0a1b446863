#include "config/difference.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace fairway {

namespace {

/// Every key and every section above one.
std::set<std::string_view> places(const Written& w) {
    std::set<std::string_view> all;
    for (const Written::Line& line : w.lines) {
        const std::string_view key = line.key;
        for (auto at = key.find(Written::within); at != key.npos; at = key.find(Written::within, at + 1))
            all.insert(key.substr(0, at));
        all.insert(key);
    }
    return all;
}

/// The largest section around `key` that the other configuration does not have, or the key itself.
std::string_view newest(std::string_view key, const std::set<std::string_view>& others) {
    for (auto at = key.find(Written::within); at != key.npos; at = key.find(Written::within, at + 1))
        if (!others.contains(key.substr(0, at))) return key.substr(0, at);
    return key;
}

std::string shown(std::string_view key) {
    std::string text(key);
    std::ranges::replace(text, Written::within, '.');
    return text;
}

bool may_be_secret(const std::string& key) {
    const bool hook = key.find(".hooks.") != key.npos && key.ends_with(".http");
    return hook || key.find(".headers.") != key.npos || (key.starts_with("alerts.") && key.ends_with(".url"));
}

} // namespace

std::vector<KeyChange> differences(const Written& before, const Written& after) {
    using enum KeyChange::Kind;
    const auto old_places = places(before), new_places = places(after);
    std::vector<KeyChange> all;
    std::string_view told; // the section told last
    const auto tell_one_sided = [&](const Written::Line& line, KeyChange::Kind kind) {
        const auto place = newest(line.key, kind == added ? old_places : new_places);
        const bool section = place != line.key;
        if (section && place == told) return;
        told = section ? place : std::string_view();
        KeyChange c{.kind = kind, .key = shown(place), .before = {}, .after = {}};
        if (!section) (kind == added ? c.after : c.before) = line.value;
        all.push_back(std::move(c));
    };
    auto o = before.lines.begin(), n = after.lines.begin();
    while (o != before.lines.end() || n != after.lines.end()) {
        const bool gone = n == after.lines.end() || (o != before.lines.end() && o->key < n->key);
        const bool fresh = o == before.lines.end() || (n != after.lines.end() && n->key < o->key);
        if (gone) tell_one_sided(*o, removed);
        else if (fresh) tell_one_sided(*n, added);
        else if (o->value != n->value)
            all.push_back({.kind = changed, .key = shown(o->key), .before = o->value, .after = n->value});
        o += !fresh;
        n += !gone;
    }
    for (KeyChange& c : all) {
        if (!may_be_secret(c.key)) continue;
        for (auto* value : {&c.before, &c.after})
            if (*value) *value = "(not shown)";
    }
    return all;
}

} // namespace fairway
