// Reads a mapping by the schema: unknown, unsupported and missing keys are reported when it is made, wrong
// values when they are read. A reader of a struct makes one of these and says what goes where.
#pragma once

#include "config/address.hpp"
#include "config/load/node.hpp"
#include "config/load/schema.hpp"
#include "config/name.hpp"
#include "config/time.hpp"

#include <cassert>
#include <initializer_list>
#include <utility>

namespace fairway::load {

// Each reads one node as its type. What is wrong is reported and leaves `out` as it was; true if all was
// right.
bool read_value(const Node& n, const Key& key, bool& out, Diagnostics& problems);
bool read_value(const Node& n, const Key& key, unsigned& out, Diagnostics& problems);
bool read_value(const Node& n, const Key& key, std::uint16_t& out, Diagnostics& problems); ///< a port
bool read_value(const Node& n, const Key& key, double& out, Diagnostics& problems); ///< a share is 0..1
bool read_value(const Node& n, const Key& key, Duration& out, Diagnostics& problems);
bool read_value(const Node& n, const Key& key, std::string& out,
                Diagnostics& problems); ///< a path is made absolute
bool read_value(const Node& n, const Key& key, IpAddress& out, Diagnostics& problems);
bool read_value(const Node& n, const Key& key, SocketAddress& out, Diagnostics& problems);
bool read_value(const Node& n, const Key& key, Prefix& out, Diagnostics& problems);

/// A list, or a scalar that stands for a list of one.
template<class T> bool read_value(const Node& n, const Key& key, std::vector<T>& out, Diagnostics& problems);

template<class T>
bool read_value(const Node& n, const Key& key, std::optional<T>& out, Diagnostics& problems) {
    T value{};
    if (!read_value(n, key, value, problems)) return false;
    out = std::move(value);
    return true;
}

/// Reports "KEY: expected WHAT, found IT" at the node.
void wrong(const Node& n, const Key& key, Diagnostics& problems, std::string_view what = {});

class Mapping {
  public:
    struct Entry {
        std::string_view name;
        Place place;
        const Node* value;
    };

    /// `path` is the mapping's place in the schema. A scalar stands for {scalar_key: scalar}.
    Mapping(const Node& node, std::string_view path, Diagnostics& problems, std::string_view scalar_key = {});
    /// Of entries put together elsewhere (a service and its template). A part may lack what is required.
    enum class Extent { whole, part };
    Mapping(Place place, std::vector<Entry> entries, std::string_view path, Diagnostics& problems,
            Extent extent = Extent::whole);

    const Node* get(std::string_view name) const; ///< null: not there, or refused already
    bool has(std::string_view name) const { return get(name) != nullptr; }
    Place place_of(std::string_view name) const; ///< of the key; of the mapping if it is not there
    const Place& place() const { return place_; }
    const std::vector<Entry>& entries() const { return entries_; }
    Diagnostics& problems() const { return problems_; }

    template<class T> bool read(std::string_view name, T& out) const {
        const Node* n = get(name);
        return n && read_value(*n, key(name), out, problems_);
    }

    /// One of the words the schema lists; of those, one without a meaning here is not supported yet.
    template<class E>
    bool choose(std::string_view name, E& out,
                std::initializer_list<std::pair<std::string_view, E>> meanings) const {
        const Node* n = get(name);
        if (!n) return false;
        for (const auto& [word, meaning] : meanings) {
            assert(listed(key(name), word));
            if (n->is_scalar() && n->text == word) return out = meaning, true;
        }
        no_such_word(*n, key(name));
        return false;
    }

  private:
    const Key& key(std::string_view name) const;
    void check(Extent extent);
    void check_entry(Entry& e);
    static bool listed(const Key& k, std::string_view word);
    void no_such_word(const Node& n, const Key& k) const;

    Place place_;
    std::string_view path_;
    Diagnostics& problems_;
    std::vector<Entry> entries_;
};

/// The words of a Key::words list.
std::vector<std::string_view> words_of(std::string_view list);

/// "KEY is not supported yet".
void not_supported(Place place, std::string_view key, Diagnostics& problems);

template<class T> bool read_value(const Node& n, const Key& key, std::vector<T>& out, Diagnostics& problems) {
    const Key* element = find_key(std::string(key.path) + ".[]");
    assert(element && key.type == Type::list);
    const bool one = n.is_scalar();
    if (!one && !n.is_sequence()) return wrong(n, key, problems), false;
    std::vector<T> values;
    bool right = true;
    for (const Node& item : one ? std::span(&n, 1) : std::span(n.items)) {
        T value{};
        if (read_value(item, *element, value, problems)) values.push_back(std::move(value));
        else right = false;
    }
    out = std::move(values);
    return right;
}

} // namespace fairway::load
