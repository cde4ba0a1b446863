#include "probes/glue/json.hpp"

#include <nlohmann/json.hpp>

namespace fairway::probes {

namespace {

using Value = nlohmann::json;

const Value* find(const Value& document, const std::string& pointer) {
    try {
        const Value::json_pointer place(pointer);
        return document.contains(place) ? &document.at(place) : nullptr;
    } catch (const Value::exception&) { return nullptr; } // a pointer that does not fit what is there
}

} // namespace

struct Json::Document {
    Value value;
};

std::optional<Json> Json::parse(std::string_view text) {
    auto document = std::make_shared<Document>();
    constexpr int deepest = 64; // nobody means more, and writing a value out goes as deep into the stack
    bool deep = false;
    const auto shallow = [&](int depth, Value::parse_event_t, Value&) {
        deep |= depth > deepest;
        return depth <= deepest;
    };
    document->value = Value::parse(text, shallow, false);
    if (deep || document->value.is_discarded()) return std::nullopt;
    Json j;
    j.document_ = std::move(document);
    return j;
}

std::optional<std::string> Json::at(const std::string& pointer) const {
    const Value* v = find(document_->value, pointer);
    if (!v) return std::nullopt;
    if (v->is_string()) return v->get<std::string>();
    return v->dump(-1, ' ', false, Value::error_handler_t::replace);
}

std::size_t Json::size(const std::string& pointer) const {
    const Value* v = find(document_->value, pointer);
    return v && v->is_structured() ? v->size() : 0;
}

std::optional<Json> Json::part(const std::string& pointer) const {
    const Value* v = find(document_->value, pointer);
    if (!v) return std::nullopt;
    Json j;
    j.document_ = std::make_shared<Document>(Document{*v});
    return j;
}

} // namespace fairway::probes
