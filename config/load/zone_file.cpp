#include "config/load/zone_file.hpp"

#include "config/load/node.hpp"
#include "config/load/rdata.hpp"
#include "config/load/zone_lines.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace fairway::load {
namespace {

constexpr std::size_t deepest = 10;               // of files that include files
constexpr unsigned most_includes = 1000;          // in all: a bound, not a recommendation
constexpr unsigned most_errors = 20;              // in one file: it is not a zone file, then
constexpr std::uint32_t longest_ttl = 0x7fffffff; // RFC 2181 section 8

std::string upper(std::string_view s) {
    std::string out(s);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

/// "300", "1h", "1d12h", as zone files have it.
std::optional<std::uint32_t> parse_ttl(std::string_view text) {
    constexpr std::pair<char, std::uint64_t> units[] = {
        {'S', 1}, {'M', 60}, {'H', 3600}, {'D', 86400}, {'W', 604800}};
    std::uint64_t total = 0;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        std::uint32_t n = 0;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (error != std::errc{}) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        std::uint64_t unit = 1;
        if (!text.empty()) {
            const char c = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
            auto it =
                std::find_if(std::begin(units), std::end(units), [&](const auto& u) { return u.first == c; });
            if (it == std::end(units)) return std::nullopt;
            unit = it->second;
            text.remove_prefix(1);
        }
        total += n * unit;
        if (total > longest_ttl) return std::nullopt;
    }
    return static_cast<std::uint32_t>(total);
}

std::string unquoted(std::string_view word) {
    if (word.size() >= 2 && word.front() == '"') word = word.substr(1, word.size() - 2);
    return std::string(word);
}

/// Reads entries of one zone, over all the files it is made of.
class ZoneReader {
  public:
    explicit ZoneReader(ZoneBuilder& zone)
        : zone_(zone), origin_(zone.name()), owner_(zone.name()), rdata_(zone.name()) {}

    bool file(const std::string& path, const Place& named_by) {
        std::string content;
        if (!enter(path, named_by) || !slurp(path, named_by, content)) return false;
        const auto outer = std::exchange(file_, std::make_shared<const std::string>(path));
        const unsigned errors_before = std::exchange(errors_, 0);
        open_.push_back(path);
        entries(content);
        open_.pop_back();
        file_ = outer;
        errors_ = errors_before;
        return true;
    }

    void text(std::string_view content) {
        file_ = std::make_shared<const std::string>();
        entries(content);
    }

    void single(std::string_view text, const std::shared_ptr<const std::string>& file, int line, int column) {
        file_ = file;
        column_ = column;
        ZoneLines lines(text);
        ZoneEntry e;
        std::string error;
        while (lines.next(e, error)) {
            e.line += line - 1;
            if (error.empty()) record(e);
            else fail(e, error);
        }
    }

  private:
    bool enter(const std::string& path, const Place& named_by) {
        std::string why;
        if (std::find(open_.begin(), open_.end(), path) != open_.end()) why = "includes itself";
        else if (open_.size() >= deepest)
            why = "is included deeper than " + std::to_string(deepest) + " files";
        else if (includes_++ > most_includes)
            why = "is one included file too many; at most " + std::to_string(most_includes);
        if (!why.empty()) zone_.problems().error(named_by, "`" + path + "` " + why);
        return why.empty();
    }

    bool slurp(const std::string& path, const Place& named_by, std::string& content) {
        errno = 0;
        std::ifstream in(path, std::ios::binary | std::ios::ate);
        const auto size = in ? static_cast<std::streamoff>(in.tellg()) : -1;
        if (size >= 0 && std::filesystem::is_regular_file(path)) {
            content.resize(static_cast<std::size_t>(size));
            in.seekg(0);
            if (in.read(content.data(), size)) return true;
        }
        zone_.problems().error(named_by,
                               "`" + path + "` cannot be read: " + std::strerror(errno ? errno : EISDIR));
        return false;
    }

    void entries(std::string_view content) {
        ZoneLines lines(content);
        ZoneEntry e;
        std::string error;
        while (errors_ < most_errors && lines.next(e, error)) {
            if (!error.empty()) fail(e, error);
            else if (!e.indented && e.text.front() == '$') directive(e);
            else record(e);
        }
        if (errors_ >= most_errors)
            fail(e,
                 "more than " + std::to_string(most_errors) + " errors; the rest of this file is not read");
    }

    void fail(const ZoneEntry& e, std::string message) {
        ++errors_;
        zone_.problems().error({*file_, e.line, column_}, std::move(message));
    }

    void directive(const ZoneEntry& e) {
        std::string_view rest = e.text;
        const std::string word = upper(take_word(rest));
        const std::string_view value = take_word(rest), more = take_word(rest);
        if (word == "$TTL") ttl(e, value);
        else if (word == "$ORIGIN") origin(e, value);
        else if (word == "$INCLUDE") return include(e, value, more);
        else {
            constexpr std::string_view known[] = {"$TTL", "$ORIGIN", "$INCLUDE"};
            return fail(e, "unknown directive " + with_nearest(word, known));
        }
        if (!more.empty()) fail(e, word + ": nothing is expected behind `" + std::string(value) + '`');
    }

    void ttl(const ZoneEntry& e, std::string_view value) {
        if (auto t = parse_ttl(value)) ttl_ = *t;
        else fail(e, "$TTL: expected a time such as 300 or 1h, found `" + std::string(value) + '`');
    }

    void origin(const ZoneEntry& e, std::string_view value) {
        auto name = Name::parse(value, origin_);
        if (!name) return fail(e, "$ORIGIN: expected a domain name, found `" + std::string(value) + '`');
        set_origin(*name);
    }

    void set_origin(const Name& name) {
        origin_ = name;
        rdata_.set_origin(name);
    }

    /// Origin and owner are the includer's again afterwards (RFC 1035 section 5.1).
    void include(const ZoneEntry& e, std::string_view name, std::string_view at) {
        if (name.empty()) return fail(e, "$INCLUDE: expected a file");
        const Name outer_origin = origin_, outer_owner = owner_;
        if (!at.empty()) origin(e, at);
        const auto path = std::filesystem::path(*file_).parent_path() / unquoted(name);
        if (!file(path.lexically_normal().string(), {*file_, e.line})) ++errors_;
        set_origin(outer_origin);
        owner_ = outer_owner;
    }

    void record(const ZoneEntry& e) {
        if (e.text.find('\0') != e.text.npos) return fail(e, "a zero byte");
        std::string_view rest = e.text;
        if (!e.indented && !owner(e, take_word(rest))) return;
        std::uint32_t ttl = ttl_;
        std::string_view word = take_word(rest);
        for (int i = 0; i < 2; ++i) { // TTL and class, in either order
            if (!word.empty() && word.front() >= '0' && word.front() <= '9') {
                const auto said = parse_ttl(word);
                if (!said)
                    return fail(e, "expected a TTL such as 300 or 1h, found `" + std::string(word) + '`');
                ttl = *said;
            } else if (const std::string u = upper(word); u == "CH" || u == "HS" || u == "CS") {
                return fail(e, "only class IN is served, found `" + u + '`');
            } else if (u != "IN") {
                break;
            }
            word = take_word(rest);
        }
        data(e, word, rest, ttl);
    }

    bool owner(const ZoneEntry& e, std::string_view word) {
        if (auto name = Name::parse(word, origin_)) {
            owner_ = std::move(*name);
            return true;
        }
        fail(e, "`" + std::string(word) + "` is not a domain name");
        return false;
    }

    void data(const ZoneEntry& e, std::string_view word, std::string_view rest, std::uint32_t ttl) {
        if (word.empty()) return fail(e, "a record type is missing");
        const auto type = record_type(word);
        if (!type) return fail(e, "unknown record type " + with_nearest(upper(word), common_types()));
        std::string error;
        const auto rdata = rdata_.read(*type, rest, error);
        if (!rdata) return fail(e, upper(word) + " record: " + error);
        const std::size_t before = zone_.problems().errors();
        zone_.add(owner_, *type, ttl, *rdata, file_, e.line, column_);
        errors_ += zone_.problems().errors() > before;
    }

    ZoneBuilder& zone_;
    Name origin_, owner_;
    std::uint32_t ttl_ = default_record_ttl;
    RdataReader rdata_;
    std::shared_ptr<const std::string> file_;
    std::vector<std::string> open_;
    unsigned includes_ = 0, errors_ = 0;
    int column_ = 0;
};

} // namespace

bool read_zone_file(const std::string& file, const Place& named_by, ZoneBuilder& zone) {
    return ZoneReader(zone).file(file, named_by);
}

void read_zone_text(std::string_view text, ZoneBuilder& zone) { ZoneReader(zone).text(text); }

void read_record_line(std::string_view text, const std::shared_ptr<const std::string>& file, int line,
                      int column, ZoneBuilder& zone) {
    ZoneReader(zone).single(text, file, line, column);
}

} // namespace fairway::load
