// A JSON document, read only: what the control API is asked and what fairwayctl is answered.
//
// Absent keys read as null, null reads as empty, so that a reader never fails half way. A value keeps its
// document alive; copies are cheap. nlohmann/json stands behind it in one source.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fairway::daemon {

class JsonValue {
  public:
    JsonValue() = default; ///< null
    static std::optional<JsonValue> parse(std::string_view text);

    bool is_null() const;
    bool is_object() const;
    bool is_text() const;
    bool is_flag() const;
    JsonValue at(std::string_view key) const;
    std::vector<JsonValue> items() const;  ///< of a list
    std::vector<std::string> keys() const; ///< of an object

    std::string text() const; ///< a string as it is; a number or flag as it is written
    std::string text(std::string_view key) const { return at(key).text(); }
    bool flag(std::string_view key) const;
    std::optional<double> number(std::string_view key) const;
    std::string pretty() const; ///< indented, for people

  private:
    std::shared_ptr<const void> node_;
};

/// A flat object as text: {"service":"a.example.com","force":true}. Empty texts and flags that are not set
/// are left out, so that an older daemon is only asked for what is wanted.
using JsonField = std::pair<const char*, std::variant<std::string, bool>>;
std::string json_object(const std::vector<JsonField>& fields);

} // namespace fairway::daemon
