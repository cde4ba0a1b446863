// JSON as checks read it: a document, and what stands at a pointer (RFC 6901) in it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fairway::probes {

class Json {
  public:
    static std::optional<Json> parse(std::string_view text); ///< nothing: it is no JSON

    /// A text without its quotes, a number, true, false or null as written; a list or mapping as JSON.
    /// Nothing if there is no such place.
    std::optional<std::string> at(const std::string& pointer) const;

    /// How many elements the list or mapping there has; 0 if there is none.
    std::size_t size(const std::string& pointer) const;

    /// What stands there, as a document of its own.
    std::optional<Json> part(const std::string& pointer) const;

  private:
    struct Document;
    std::shared_ptr<const Document> document_;
};

} // namespace fairway::probes
