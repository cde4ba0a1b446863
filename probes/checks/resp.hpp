// What Redis says: replies of RESP 2 (Redis documentation, "Redis serialization protocol specification").
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::probes {

struct RespReply {
    enum class Kind { status, error, number, text, nothing, list };
    Kind kind = Kind::nothing;
    std::string text;             ///< of all but a list; a number as it was written
    std::vector<RespReply> items; ///< of a list

    bool is_error() const { return kind == Kind::error; }
    std::string_view word() const; ///< an error's first: its code
    /// Of a list of names and values by turns; empty: there is none.
    std::string_view value(std::string_view name) const;
};

/// Puts replies together from what comes in. Nothing beyond its bounds is held.
class RespReader {
  public:
    static constexpr std::size_t longest =
        65536; ///< bytes not yet read; INFO and SENTINEL MASTER are some thousand

    /// False: that is more than it holds.
    bool feed(std::string_view text);
    /// The next whole reply, which is taken; nothing: it is not all there, or `broken`.
    std::optional<RespReply> next();
    bool broken() const { return broken_; }

  private:
    std::optional<RespReply> parse(std::size_t& at, int depth);
    std::optional<std::string_view> line(std::size_t& at);
    std::string buffer_;
    bool broken_ = false;
};

/// A command and its arguments.
std::string resp_command(std::initializer_list<std::string_view> words);

} // namespace fairway::probes
