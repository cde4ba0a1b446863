// A domain name (RFC 1035 section 3.1), kept in wire form with ASCII letters in lower case.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fairway {

class Name {
  public:
    Name() : wire_(1, '\0') {} ///< the root

    /// Presentation form with escapes (\. \065); the final dot is optional. Empty labels, labels over
    /// 63 octets and names over 255 are refused.
    static std::optional<Name> parse(std::string_view text);

    /// As parse(), but a name without a final dot is taken relative to `origin`; "@" is the origin.
    static std::optional<Name> parse(std::string_view text, const Name& origin);

    /// From uncompressed wire form; nullopt if it is not one whole name.
    static std::optional<Name> from_wire(std::span<const std::uint8_t> wire);

    std::span<const std::uint8_t> wire() const {
        return {reinterpret_cast<const std::uint8_t*>(wire_.data()), wire_.size()};
    }
    std::string to_string() const; ///< presentation form without the final dot; the root is "."
    std::size_t labels() const;    ///< the root has none
    bool is_root() const { return wire_.size() == 1; }
    bool is_under(const Name& ancestor) const; ///< equal counts
    Name parent() const;                       ///< of the root: the root
    std::optional<Name> child(std::string_view label) const;

    auto operator<=>(const Name&) const = default; ///< by octets, not canonical DNS order

  private:
    explicit Name(std::string wire) : wire_(std::move(wire)) {}
    std::string wire_;
};

} // namespace fairway
