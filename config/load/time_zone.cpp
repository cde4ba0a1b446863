#include "config/load/time_zone.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>

namespace fairway::load {
namespace {

using namespace std::chrono;

constexpr std::size_t largest_file = 65536; // the largest there is has 4 kB
constexpr int last_year = 2100;             // so far ahead the rule at the file's end is written out

/// Reads big-endian numbers; past the end it has failed.
class Bytes {
  public:
    explicit Bytes(std::string_view data) : data_(data) {}

    std::int64_t number(std::size_t octets) {
        const std::string_view part = take(octets);
        std::uint64_t value = !part.empty() && (part[0] & 0x80) ? ~std::uint64_t{} : 0;
        for (char c : part) value = value << 8 | static_cast<unsigned char>(c);
        return static_cast<std::int64_t>(value);
    }
    std::string_view take(std::size_t octets) {
        if (octets > data_.size()) failed_ = true;
        const std::string_view part = data_.substr(0, std::min(octets, data_.size()));
        data_.remove_prefix(part.size());
        return part;
    }
    std::string_view rest() const { return data_; }
    bool failed() const { return failed_; }

  private:
    std::string_view data_;
    bool failed_ = false;
};

struct Header {
    char version = 0;
    std::size_t utc = 0, standard = 0, leap = 0, times = 0, types = 0, letters = 0;
    std::size_t size(std::size_t time) const {
        return times * (time + 1) + types * 6 + letters + leap * (time + 4) + standard + utc;
    }
};

bool read_header(Bytes& in, Header& h) {
    if (in.take(4) != "TZif") return false;
    const std::string_view version = in.take(16);
    h.version = version.empty() ? '\0' : version[0];
    for (std::size_t* count : {&h.utc, &h.standard, &h.leap, &h.times, &h.types, &h.letters}) {
        const std::int64_t n = in.number(4);
        if (n < 0 || n > static_cast<std::int64_t>(largest_file)) return false;
        *count = static_cast<std::size_t>(n);
    }
    return !in.failed() && h.types > 0;
}

/// RFC 8536 section 3.2: when, which type from then on, and the types.
bool read_changes(Bytes& in, const Header& h, TimeZone& zone) {
    for (std::size_t i = 0; i < h.times; ++i)
        zone.changes.push_back({sys_seconds(seconds(in.number(8))), seconds{}});
    std::vector<std::size_t> type;
    for (std::size_t i = 0; i < h.times; ++i) type.push_back(static_cast<std::size_t>(in.number(1) & 0xff));
    std::vector<seconds> offsets;
    for (std::size_t i = 0; i < h.types; ++i) {
        offsets.push_back(seconds(in.number(4)));
        in.take(2);
    }
    zone.first = offsets.front();
    for (std::size_t i = 0; i < h.times; ++i) {
        if (type[i] >= offsets.size()) return false;
        zone.changes[i].second = offsets[type[i]];
    }
    in.take(h.letters + h.leap * 12 + h.standard + h.utc);
    return !in.failed();
}

/// The rule for all that comes after: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX, with RFC 8536's hours).
class Footer {
  public:
    explicit Footer(std::string_view text) : text_(text) {}

    /// False if it is written in a way that is not known here; then the last offset stays.
    bool apply(TimeZone& zone) {
        seconds standard{}, summer{};
        if (!name() || !offset(standard)) return false;
        if (text_.empty()) return true; // no summer time: the last change has led there
        if (!name()) return false;
        summer = standard + hours(1);
        if (!text_.starts_with(',') && !offset(summer)) return false;
        Day begin, end;
        if (!day(begin) || !day(end) || !text_.empty()) return false;
        const auto last = zone.changes.empty() ? sys_seconds() : zone.changes.back().first;
        for (int y = 1970; y <= last_year; ++y) {
            std::pair<sys_seconds, seconds> two[] = {{at(begin, y) - standard, summer},
                                                     {at(end, y) - summer, standard}};
            if (two[0].first > two[1].first) std::swap(two[0], two[1]); // south of the equator
            for (const auto& change : two)
                if (change.first > last) zone.changes.push_back(change);
        }
        return true;
    }

  private:
    struct Day {
        unsigned month = 1, week = 1, weekday = 0;
        seconds time = hours(2);
    };

    static sys_seconds at(const Day& d, int y) {
        const weekday w(d.weekday);
        const month m(d.month);
        const sys_days on = d.week == 5 ? sys_days(year(y) / m / w[last]) : sys_days(year(y) / m / w[d.week]);
        return on + d.time;
    }

    bool eat(char c) {
        if (!text_.starts_with(c)) return false;
        text_.remove_prefix(1);
        return true;
    }
    bool name() {
        const bool quoted = text_.starts_with('<');
        const std::size_t end = quoted ? text_.find('>') : text_.find_first_of("+-0123456789,");
        const std::size_t size = std::min(end, text_.size()) + (quoted ? 1 : 0);
        if (size == 0 || size > text_.size()) return false;
        text_.remove_prefix(size);
        return true;
    }
    bool number(unsigned& out, unsigned most) {
        const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), out);
        if (error != std::errc{} || out > most) return false;
        text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
        return true;
    }
    /// [+-]hh[:mm[:ss]]
    bool time(seconds& out) {
        const bool negative = eat('-');
        if (!negative) eat('+');
        unsigned h = 0, m = 0, s = 0;
        if (!number(h, 167)) return false;
        if (eat(':') && (!number(m, 59) || (eat(':') && !number(s, 59)))) return false;
        out = hours(h) + minutes(m) + seconds(s);
        if (negative) out = -out;
        return true;
    }
    /// West of Greenwich is positive there.
    bool offset(seconds& out) {
        if (!time(out)) return false;
        out = -out;
        return true;
    }
    bool day(Day& d) {
        return eat(',') && eat('M') && number(d.month, 12) && d.month > 0 && eat('.') && number(d.week, 5) &&
               d.week > 0 && eat('.') && number(d.weekday, 6) && (!eat('/') || time(d.time));
    }

    std::string_view text_;
};

std::string whole(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string data(largest_file + 1, '\0');
    in.read(data.data(), static_cast<std::streamsize>(data.size()));
    data.resize(static_cast<std::size_t>(in.gcount()));
    return data;
}

bool parse(std::string_view data, TimeZone& zone) {
    Bytes in(data);
    Header h;
    if (!read_header(in, h) || h.version < '2') return false; // older ones end in 2037
    in.take(h.size(4));
    if (!read_header(in, h) || !read_changes(in, h, zone)) return false;
    std::string_view footer = in.rest();
    if (!footer.starts_with('\n') || !footer.ends_with('\n') || footer.size() < 2) return false;
    footer = footer.substr(1, footer.size() - 2);
    return footer.empty() || Footer(footer).apply(zone);
}

/// The names of zones, and no way out of their folder.
bool plain(std::string_view name) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    return !name.empty() && name.front() != '/' && name.find_first_not_of(letters) == name.npos;
}

} // namespace

std::shared_ptr<const TimeZone> read_time_zone(const std::string& name, std::string& why,
                                               const std::filesystem::path& directory) {
    std::error_code error;
    const auto file = directory / name;
    if (!plain(name) || !std::filesystem::is_regular_file(file, error)) {
        why = "there is no time zone `" + name + "` in " + directory.string();
        return nullptr;
    }
    const std::string data = whole(file);
    auto zone = std::make_shared<TimeZone>();
    zone->name = name;
    if (data.size() <= largest_file && parse(data, *zone)) return zone;
    why = file.string() + " is not a time zone as RFC 8536 has it";
    return nullptr;
}

} // namespace fairway::load
