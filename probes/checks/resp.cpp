#include "probes/checks/resp.hpp"

#include <charconv>

namespace fairway::probes {

namespace {

constexpr int deepest = 4;        // lists in lists; what is asked for has one level
constexpr long most_items = 1024; // of a list

/// A count as it stands after $ and *; -1 is "nothing".
std::optional<long> count(std::string_view digits) {
    long n = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (error != std::errc() || end != digits.data() + digits.size() || n < -1) return std::nullopt;
    return n;
}

} // namespace

std::string_view RespReply::word() const { return std::string_view(text).substr(0, text.find(' ')); }

std::string_view RespReply::value(std::string_view name) const {
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
        if (items[i].text == name) return items[i + 1].text;
    return {};
}

bool RespReader::feed(std::string_view text) {
    if (buffer_.size() + text.size() > longest) return false;
    buffer_ += text;
    return true;
}

std::optional<RespReply> RespReader::next() {
    std::size_t at = 0;
    std::optional<RespReply> reply = parse(at, 0);
    if (reply) buffer_.erase(0, at);
    return reply;
}

/// Without its CR LF.
std::optional<std::string_view> RespReader::line(std::size_t& at) {
    const std::size_t end = buffer_.find("\r\n", at);
    if (end == buffer_.npos) return std::nullopt;
    const std::string_view found = std::string_view(buffer_).substr(at, end - at);
    at = end + 2;
    return found;
}

std::optional<RespReply> RespReader::parse(std::size_t& at, int depth) {
    using Kind = RespReply::Kind;
    if (at >= buffer_.size()) return std::nullopt;
    const char type = buffer_[at];
    if (std::string_view("+-:$*").find(type) == std::string_view::npos || depth > deepest)
        return broken_ = true, std::nullopt;
    const auto head = line(at);
    if (!head) return std::nullopt;
    RespReply reply;
    reply.text = head->substr(1);
    if (type == '+' || type == '-' || type == ':') {
        reply.kind = type == '+' ? Kind::status : type == '-' ? Kind::error : Kind::number;
        return reply;
    }
    const auto n = count(reply.text);
    if (!n || *n > static_cast<long>(longest) || (type == '*' && *n > most_items))
        return broken_ = true, std::nullopt;
    reply.text.clear();
    if (*n < 0) return reply;
    if (type == '$') {
        const auto size = static_cast<std::size_t>(*n);
        if (buffer_.size() - at < size + 2) return std::nullopt;
        reply.kind = Kind::text;
        reply.text = buffer_.substr(at, size);
        if (buffer_.compare(at + size, 2, "\r\n") != 0) return broken_ = true, std::nullopt;
        at += size + 2;
        return reply;
    }
    reply.kind = Kind::list;
    for (long i = 0; i < *n; ++i) {
        auto item = parse(at, depth + 1);
        if (!item) return std::nullopt;
        reply.items.push_back(std::move(*item));
    }
    return reply;
}

std::string resp_command(std::initializer_list<std::string_view> words) {
    std::string text = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string_view w : words)
        text.append("$").append(std::to_string(w.size())).append("\r\n").append(w).append("\r\n");
    return text;
}

} // namespace fairway::probes
