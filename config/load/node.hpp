// A configuration file as a tree that remembers where everything stood. The only thing the binding reads: it
// never sees the YAML library.
#pragma once

#include "config/diagnostics.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::load {

struct Node {
    enum class Kind { null, scalar, sequence, mapping };
    struct Member;

    Kind kind = Kind::null;
    bool quoted = false; ///< "true" in quotes is a text and not a yes
    int line = 0;
    int column = 0;
    std::shared_ptr<const std::string> file; ///< shared by all nodes of one file
    std::string text;                        ///< of a scalar
    std::vector<Node> items;                 ///< of a sequence
    std::vector<Member> members;             ///< of a mapping, as written; no key occurs twice

    Place place() const { return {file ? *file : std::string(), line, column}; }
    bool is_scalar() const { return kind == Kind::scalar; }
    bool is_mapping() const { return kind == Kind::mapping; }
    bool is_sequence() const { return kind == Kind::sequence; }
    const Node* find(std::string_view key) const;

    /// The value of this scalar as a path: relative to the file that names it, then absolute.
    std::filesystem::path path() const;

    /// What it is, for messages: "`12`", "a list", "nothing".
    std::string describe() const;
};

struct Node::Member {
    Node key;
    Node value;
};

/// "`word`" and, if there is one near enough, " (did you mean `other`?)".
std::string with_nearest(std::string_view word, std::span<const std::string_view> candidates);

} // namespace fairway::load
