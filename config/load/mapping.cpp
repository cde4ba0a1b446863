#include "config/load/mapping.hpp"

#include <algorithm>

namespace fairway::load {

std::vector<std::string_view> words_of(std::string_view list) {
    constexpr std::string_view between = " | ";
    std::vector<std::string_view> out;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(between), list.size());
        out.push_back(list.substr(0, end));
        list.remove_prefix(std::min(end + between.size(), list.size()));
    }
    return out;
}

void not_supported(Place place, std::string_view key, Diagnostics& problems) {
    problems.error(std::move(place), std::string(key) + " is not supported yet");
}

Mapping::Mapping(const Node& node, std::string_view path, Diagnostics& problems, std::string_view scalar_key)
    : place_(node.place()), path_(path), problems_(problems) {
    if (node.is_mapping()) {
        for (const Node::Member& m : node.members) entries_.push_back({m.key.text, m.key.place(), &m.value});
    } else if (node.is_scalar() && !scalar_key.empty()) {
        entries_.push_back({scalar_key, node.place(), &node});
    } else {
        const Key* k = find_key(path);
        problems.error(place_,
                       (k ? std::string(k->name() == "*" ? k->parent() : k->path) + ": " : std::string()) +
                           "expected a mapping, found " + node.describe());
        return;
    }
    check(Extent::whole);
}

Mapping::Mapping(Place place, std::vector<Entry> entries, std::string_view path, Diagnostics& problems,
                 Extent extent)
    : place_(std::move(place)), path_(path), problems_(problems), entries_(std::move(entries)) {
    check(extent);
}

void Mapping::check(Extent extent) {
    const auto there = [&](std::string_view name) {
        return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
    };
    for (const Key* k : children(path_))
        if (k->required && extent == Extent::whole && !there(k->name()))
            problems_.error(place_, "`" + std::string(k->name()) + "` is missing");
    for (Entry& e : entries_) check_entry(e);
    std::erase_if(entries_, [](const Entry& e) { return !e.value; });
}

/// Takes the value from an entry that must not be read.
void Mapping::check_entry(Entry& e) {
    std::vector<std::string_view> known;
    for (const Key* k : children(path_)) {
        if (k->name() == e.name || k->name() == "*") {
            if (!k->supported) not_supported(e.place, k->path, problems_), e.value = nullptr;
            return;
        }
        known.push_back(k->name());
    }
    std::string message = "unknown key " + with_nearest(e.name, known);
    if (nearest(e.name, known).empty()) {
        message += "; expected one of";
        for (std::size_t i = 0; i < known.size(); ++i) message.append(i ? ", " : " ").append(known[i]);
    }
    problems_.error(e.place, message);
    e.value = nullptr;
}

const Node* Mapping::get(std::string_view name) const {
    assert(find_key(std::string(path_) + (path_.empty() ? "" : ".") + std::string(name)) &&
           "not in the schema");
    for (const Entry& e : entries_)
        if (e.name == name) return e.value;
    return nullptr;
}

Place Mapping::place_of(std::string_view name) const {
    for (const Entry& e : entries_)
        if (e.name == name) return e.place;
    return place_;
}

const Key& Mapping::key(std::string_view name) const {
    for (const Key* k : children(path_))
        if (k->name() == name) return *k;
    assert(false && "not in the schema");
    return *find_key("include");
}

bool Mapping::listed(const Key& k, std::string_view word) {
    const auto words = words_of(k.words);
    return std::find(words.begin(), words.end(), word) != words.end();
}

void Mapping::no_such_word(const Node& n, const Key& k) const {
    if (n.is_scalar() && listed(k, n.text))
        return not_supported(n.place(), std::string(k.path) + ": " + n.text, problems_);
    const auto words = words_of(k.words);
    std::string message = std::string(k.name()) + ": expected " + std::string(k.words) + ", found ";
    message += n.is_scalar() ? with_nearest(n.text, words) : n.describe();
    problems_.error(n.place(), message);
}

} // namespace fairway::load
