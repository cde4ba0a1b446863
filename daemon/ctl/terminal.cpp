#include "daemon/ctl/terminal.hpp"

#include "config/time.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <optional>

namespace fairway::ctl {

namespace {

const char* code(Colour c) {
    switch (c) {
    case Colour::good: return "\033[32m";
    case Colour::warn: return "\033[33m";
    case Colour::bad: return "\033[31m";
    case Colour::dim: return "\033[2m";
    case Colour::none: break;
    }
    return "";
}

std::optional<std::time_t> seconds(const std::string& rfc3339) {
    std::tm t{};
    if (!strptime(rfc3339.c_str(), "%Y-%m-%dT%H:%M:%S", &t)) return std::nullopt;
    return timegm(&t);
}

std::vector<std::size_t> widths(const std::vector<std::vector<Cell>>& rows) {
    std::vector<std::size_t> w;
    for (const auto& row : rows) {
        w.resize(std::max(w.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) w[i] = std::max(w[i], printable(row[i].text).size());
    }
    return w;
}

}

std::string printable(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
        const bool c1 = c == 0xc2 && next >= 0x80 && next < 0xa0; // U+0080 to U+009F in UTF-8
        plain += c < ' ' || c == 0x7f || c1 ? '?' : text[i];
        i += c1;
    }
    return plain;
}

Terminal::Terminal() : terminal_(isatty(STDOUT_FILENO)), colours_(terminal_ && !std::getenv("NO_COLOR")) {}

std::string Terminal::painted(const std::string& text, Colour colour) const {
    const std::string plain = printable(text);
    return colours_ && colour != Colour::none ? code(colour) + plain + "\033[0m" : plain;
}

void Terminal::document(const std::string& json) const { std::cout << json << '\n'; }

void Terminal::line(const std::string& text, Colour colour) const {
    std::cout << painted(text, colour) << '\n';
}

void Terminal::begin_page() const { std::cout << (terminal_ ? "\033[H\033[2J\033[3J" : "\n") << std::flush; }

void Terminal::table(const std::vector<std::vector<Cell>>& rows) const {
    const auto width = widths(rows);
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += painted(row[i].text, &row == &rows.front() ? Colour::dim : row[i].colour);
            if (i + 1 < row.size()) line += std::string(width[i] - printable(row[i].text).size() + 2, ' ');
        }
        std::cout << line << '\n';
    }
}

void Terminal::error(const std::string& text) const { note("fairwayctl: " + text); }
void Terminal::progress(const std::string& text) const {
    if (isatty(STDERR_FILENO)) note(text);
}
void Terminal::note(const std::string& text) const { std::cerr << printable(text) << '\n'; }

std::string between(const std::string& since, const std::string& until) {
    const auto a = seconds(since), b = seconds(until);
    return a && b ? brief(std::chrono::seconds(std::max<std::time_t>(*b - *a, 0))) : "-";
}

} // namespace fairway::ctl
