#include "config/load/zone_lines.hpp"

#include <algorithm>

namespace fairway::load {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

void append_decimal(std::string& out, char c) {
    const auto u = static_cast<unsigned char>(c);
    out += '\\';
    out += static_cast<char>('0' + u / 100);
    out += static_cast<char>('0' + u / 10 % 10);
    out += static_cast<char>('0' + u % 10);
}

} // namespace

char ZoneLines::take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '\n') ++line_;
    return c;
}

void ZoneLines::comment() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    rest_.remove_prefix(end);
}

/// What is behind an opening quote, up to the closing one.
void ZoneLines::quoted(ZoneEntry& entry, std::string& error) {
    while (!rest_.empty() && rest_.front() != '\n') {
        const char c = take();
        if (c == '"') return void(entry.text += '"');
        if (c == '\\' && !rest_.empty() && rest_.front() != '\n') {
            entry.text += c;
            entry.text += take();
        } else if (c == '(' || c == ')' || c == ';') {
            append_decimal(entry.text, c);
        } else {
            entry.text += c;
        }
    }
    error = "a quoted text is not closed on its line";
}

void ZoneLines::octet(char c, ZoneEntry& entry) {
    entry.text += blank(c) ? ' ' : c;
    if (c == '\\' && !rest_.empty() && rest_.front() != '\n') entry.text += take();
}

bool ZoneLines::next(ZoneEntry& entry, std::string& error) {
    int depth = 0;
    bool content = false;
    entry.text.clear();
    error.clear();
    entry.line = line_;
    while (!rest_.empty()) {
        if (entry.text.empty() && !content) entry.line = line_, entry.indented = blank(rest_.front());
        const char c = take();
        if (c == ';') {
            comment();
        } else if (c == '\n') {
            if (!error.empty() || (depth == 0 && content)) return true;
            if (depth == 0) entry.text.clear();
            else entry.text += ' ';
        } else if (c == '(' || c == ')') {
            depth += c == '(' ? 1 : -1;
            if (depth < 0) error = "a closing parenthesis without an opening one", depth = 0;
            entry.text += ' ';
        } else {
            content = content || !blank(c);
            if (c == '"') entry.text += c, quoted(entry, error);
            else octet(c, entry);
            if (!error.empty()) depth = 0;
        }
    }
    if (depth > 0) error = "a parenthesis is not closed before the end of the file";
    return content || !error.empty();
}

std::string_view take_word(std::string_view& text) {
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    std::size_t end = 0;
    const bool quoted = text.starts_with('"');
    if (quoted) ++end;
    for (; end < text.size(); ++end) {
        if (text[end] == '\\') ++end;
        else if (quoted ? text[end] == '"' : blank(text[end])) break;
    }
    end = std::min(end + (quoted && end < text.size()), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

} // namespace fairway::load
