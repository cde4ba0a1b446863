// BSON as the mongodb check reads it: values at a path in a document that a server sent (bsonspec.org, 1.1).
// Nothing that was sent is believed: every length is checked against what is there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairway::probes {

/// A view into bytes that outlive it.
class Bson {
  public:
    /// Nothing: not one whole document and nothing else.
    static std::optional<Bson> parse(std::string_view bytes);

    /// What stands at "lastWrite.opTime.t", if it is of the type that is asked for.
    std::optional<bool> flag(std::string_view path) const;
    std::optional<std::int64_t>
    number(std::string_view path) const; ///< int32, int64, a whole double, ms of a date
    std::optional<std::string> text(std::string_view path) const;
    std::optional<std::string> object_id(std::string_view path) const; ///< its twelve bytes

  private:
    struct Value {
        char type = 0;
        std::string_view bytes; ///< without type and name
    };
    explicit Bson(std::string_view elements) : elements_(elements) {}
    std::optional<Value> find(std::string_view path) const;
    static std::optional<Value> take(std::string_view& rest, std::string_view& name);
    std::string_view elements_; ///< without the length in front and the zero at the end
};

/// Little-endian, as BSON and the wire protocol have it. `bytes` holds at least as many.
std::uint32_t read_u32(std::string_view bytes);
std::string written_u32(std::uint32_t n);

} // namespace fairway::probes
