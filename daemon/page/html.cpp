#include "daemon/page/html.hpp"

#include <array>
#include <cmath>

namespace fairway::daemon::page {

namespace {

/// Octets of the UTF-8 sequence at the text's begin; 0: it is none (RFC 3629).
std::size_t sequence(std::string_view text) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = octet(0);
    const std::size_t size = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
    if (size == 0 || size > text.size()) return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((octet(i) & 0xc0) != 0x80) return 0;
    const bool overlong = (first == 0xe0 && octet(1) < 0xa0) || (first == 0xf0 && octet(1) < 0x90);
    const bool surrogate = first == 0xed && octet(1) >= 0xa0;
    const bool beyond = first == 0xf4 && octet(1) >= 0x90;
    const bool control = first == 0xc2 && octet(1) < 0xa0;
    return overlong || surrogate || beyond || control ? 0 : size;
}

std::string_view entity(char c) {
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return {};
    }
}

/// For a path: letters, digits and "-._~" as they are (RFC 3986).
std::string percent(std::string_view text) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("-._~").find(c) != std::string_view::npos;
        if (plain) out += c;
        else (out += '%').append({hex[octet >> 4], hex[octet & 15]});
    }
    return out;
}

std::string nav(const Frame& f) {
    const auto item = [&](const char* path, const char* title) {
        return std::string("<a href=\"") + path + "\"" + (f.title == title ? " aria-current=\"page\"" : "") +
               ">" + title + "</a>";
    };
    return "<nav aria-label=\"Pages\">" + item("/", "Overview") + item("/timeline", "Timeline") + "</nav>";
}

} // namespace

std::string escape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t size = sequence(text);
        const auto first = static_cast<unsigned char>(text[0]);
        const auto name = entity(text[0]);
        if (!name.empty()) out += name;
        else if (size == 0 || first == 0x7f || (first < ' ' && first != '\n' && first != '\t'))
            out += "\xef\xbf\xbd";
        else out += text.substr(0, size);
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return out;
}

std::string link(std::string_view to, std::string_view name) {
    if (name.empty()) return "";
    return "<a href=\"/" + std::string(to) + "/" + percent(name) + "\">" + escape(name) + "</a>";
}

std::string state(Mood mood, std::string_view word) {
    static constexpr std::array<std::string_view, 4> classes{"idle", "good", "warn", "bad"},
        signs{"○", "●", "▲", "✕"};
    const auto i = static_cast<std::size_t>(mood);
    return "<span class=\"state " + std::string(classes[i]) + "\"><span aria-hidden=\"true\">" +
           std::string(signs[i]) + "</span>" + escape(word) + "</span>";
}

std::string ago(WallTime then, WallTime now) {
    const std::string stamp = fairway::to_string(then);
    if (then > now) return "<time datetime=\"" + stamp + "\">in " + brief(then - now) + "</time>";
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now - then);
    return "<time datetime=\"" + stamp + "\" title=\"" + stamp + "\">" +
           (seconds < 1s ? "just now" : brief(seconds) + " ago") + "</time>";
}

std::string share(double part) {
    const auto percent = std::to_string(std::lround(100 * part));
    return "<span class=\"share\"><svg viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" "
           "aria-hidden=\"true\"><rect width=\"" +
           percent + "\" height=\"6\"/></svg>" + percent + "&nbsp;%</span>";
}

std::string Table::to_string(std::string_view if_empty) const {
    if (rows.empty()) return "<p class=\"note\">" + std::string(if_empty) + "</p>";
    std::string out = "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"" + escape(caption) +
                      "\"><table class=\"cards\" role=\"table\"><caption class=\"unseen\">" +
                      escape(caption) + "</caption><thead role=\"rowgroup\"><tr role=\"row\">";
    for (const auto& h : head) out += "<th scope=\"col\" role=\"columnheader\">" + h + "</th>";
    out += "</tr></thead><tbody role=\"rowgroup\">";
    for (const auto& row : rows) {
        out += "<tr role=\"row\">";
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::string label; // of a heading that is a link, its words
            bool tag = false;
            for (const char c : head[i]) {
                if (c == '<') tag = true;
                if (!tag) label += c;
                if (c == '>') tag = false;
            }
            out += i == 0 ? "<th scope=\"row\" role=\"rowheader\">" + row[i] + "</th>"
                          : "<td role=\"cell\" data-label=\"" + label + "\"><div>" + row[i] + "</div></td>";
        }
        out += "</tr>";
    }
    return out + "</tbody></table></div>";
}

std::string section(std::string_view id, std::string_view title, std::string_view content) {
    const std::string name(id);
    return "<section id=\"" + name + "\" data-live aria-labelledby=\"" + name + "-title\"><h2 id=\"" + name +
           "-title\">" + std::string(title) + "</h2>" + std::string(content) + "</section>\n";
}

std::string document(const Frame& f, std::string_view main) {
    return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
           "<meta name=\"color-scheme\" content=\"light dark\"><title>" +
           escape(f.title) +
           " - Fairway</title><link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">"
           "<link rel=\"stylesheet\" href=\"/style.css\"><noscript><meta http-equiv=\"refresh\" "
           "content=\"15\"></noscript>"
           "<script src=\"/live.js\" defer></script></head>\n<body><a class=\"skip\" href=\"#main\">To the "
           "content</a>"
           "<header class=\"top\"><a class=\"brand\" href=\"/\"><img src=\"/icon.svg\" alt=\"\">Fairway</a>" +
           nav(f) + "<p class=\"about\"><span>" + escape(f.node) + "</span><span id=\"at\" data-live>" +
           (f.stale ? "<strong>not answering since</strong> " : "") + "<time datetime=\"" +
           fairway::to_string(f.at) + "\">" + fairway::to_string(f.at).substr(0, 19).replace(10, 1, " ") +
           " UTC</time></span>"
           "<span id=\"live\" role=\"status\">not live</span></p></header>\n<main id=\"main\">" +
           std::string(main) +
           "</main>\n<p id=\"announcer\" class=\"unseen\" aria-live=\"polite\"></p><footer>Answers no. " +
           std::to_string(f.generation) +
           ". The same for programs: <a href=\"/v1/status\">status</a>, <a href=\"/v1/history\">history</a>, "
           "<a href=\"/metrics\">metrics</a>.</footer></body></html>\n";
}

} // namespace fairway::daemon::page
