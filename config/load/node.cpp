#include "config/load/node.hpp"

namespace fairway::load {

const Node* Node::find(std::string_view key) const {
    for (const Member& m : members)
        if (m.key.text == key) return &m.value;
    return nullptr;
}

std::filesystem::path Node::path() const {
    const std::filesystem::path named_in = std::filesystem::absolute(file ? *file : std::string());
    return (named_in.parent_path() / text).lexically_normal();
}

std::string Node::describe() const {
    switch (kind) {
    case Kind::scalar: return '`' + text.substr(0, 60) + '`'; // enough to recognize it by
    case Kind::sequence: return "a list";
    case Kind::mapping: return "a mapping";
    case Kind::null: break;
    }
    return "nothing";
}

std::string with_nearest(std::string_view word, std::span<const std::string_view> candidates) {
    std::string out = '`' + std::string(word) + '`';
    if (const std::string_view near = nearest(word, candidates); !near.empty())
        out.append(" (did you mean `").append(near).append("`?)");
    return out;
}

} // namespace fairway::load
