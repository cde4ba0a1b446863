#include "daemon/json_value.hpp"

#include <nlohmann/json.hpp>

namespace fairway::daemon {

namespace {

using Json = nlohmann::ordered_json;
constexpr auto replace = Json::error_handler_t::replace; ///< bytes that are no UTF-8 never throw

const Json* node(const std::shared_ptr<const void>& p) { return static_cast<const Json*>(p.get()); }

}

std::optional<JsonValue> JsonValue::parse(std::string_view text) {
    auto root = std::make_shared<Json>(Json::parse(text, nullptr, false));
    if (root->is_discarded()) return std::nullopt;
    JsonValue v;
    v.node_ = std::move(root);
    return v;
}

bool JsonValue::is_null() const { return !node_ || node(node_)->is_null(); }
bool JsonValue::is_object() const { return node_ && node(node_)->is_object(); }
bool JsonValue::is_text() const { return node_ && node(node_)->is_string(); }
bool JsonValue::is_flag() const { return node_ && node(node_)->is_boolean(); }

JsonValue JsonValue::at(std::string_view key) const {
    JsonValue v;
    if (!is_object()) return v;
    if (auto it = node(node_)->find(key); it != node(node_)->end())
        v.node_ = std::shared_ptr<const void>(node_, &*it);
    return v;
}

std::vector<JsonValue> JsonValue::items() const {
    std::vector<JsonValue> all;
    if (!node_ || !node(node_)->is_array()) return all;
    for (const auto& item : *node(node_)) {
        JsonValue v;
        v.node_ = std::shared_ptr<const void>(node_, &item);
        all.push_back(std::move(v));
    }
    return all;
}

std::vector<std::string> JsonValue::keys() const {
    std::vector<std::string> all;
    if (is_object())
        for (const auto& [key, value] : node(node_)->items()) all.push_back(key);
    return all;
}

std::string JsonValue::text() const {
    if (is_null()) return {};
    return is_text() ? node(node_)->get<std::string>() : node(node_)->dump(-1, ' ', false, replace);
}

bool JsonValue::flag(std::string_view key) const {
    const JsonValue v = at(key);
    return v.is_flag() && node(v.node_)->get<bool>();
}

std::optional<double> JsonValue::number(std::string_view key) const {
    const JsonValue v = at(key);
    if (!v.node_ || !node(v.node_)->is_number()) return std::nullopt;
    return node(v.node_)->get<double>();
}

std::string json_object(const std::vector<JsonField>& fields) {
    Json object = Json::object();
    for (const auto& [key, value] : fields) {
        if (std::holds_alternative<bool>(value)) {
            if (std::get<bool>(value)) object[key] = true;
        } else if (const auto& text = std::get<std::string>(value); !text.empty()) object[key] = text;
    }
    return object.dump(-1, ' ', false, replace);
}

std::string JsonValue::pretty() const { return node_ ? node(node_)->dump(2, ' ', false, replace) : "null"; }

} // namespace fairway::daemon
