#include "config/load/writing.hpp"

#include <algorithm>

namespace fairway::load {

namespace {

bool is_plain(const Node& n) {
    return !n.is_mapping() &&
           (!n.is_sequence() || std::ranges::all_of(n.items, [](const Node& i) { return is_plain(i); }));
}

std::string value_of(const Node& n) {
    if (!n.is_sequence()) return n.text;
    std::string text = "[";
    for (const Node& i : n.items) text += (text.size() > 1 ? ", " : "") + value_of(i);
    return text + "]";
}

void write(const Node& n, const std::string& key, Written& out) {
    const auto under = [&](const std::string& part) {
        return key.empty() ? part : key + Written::within + part;
    };
    if (is_plain(n) || (n.is_mapping() && n.members.empty()))
        return out.lines.push_back({key, n.is_mapping() ? "{}" : value_of(n)});
    for (const Node::Member& m : n.members)
        if (!key.empty() || m.key.text != "include") write(m.value, under(m.key.text), out);
    for (std::size_t i = 0; i < n.items.size(); ++i)
        write(n.items[i], under("[" + std::to_string(i) + "]"), out);
}

} // namespace

Written written_in(const Node& root) {
    Written out;
    write(root, "", out);
    std::ranges::sort(out.lines);
    return out;
}

} // namespace fairway::load
