#include "daemon/helper.hpp"

#include <charconv>

namespace fairway::daemon {

namespace {

class Packer {
  public:
    Packer& add(std::string_view field) {
        text_.append(field);
        text_.push_back('\0');
        return *this;
    }
    Packer& add(std::uint64_t number) { return add(std::to_string(number)); }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

class Unpacker {
  public:
    explicit Unpacker(std::string_view text) : rest_(text) {}
    bool at_end() const { return rest_.empty(); }
    bool ok() const { return ok_; }
    std::string field() {
        const auto end = rest_.find('\0');
        if (end == rest_.npos) return ok_ = false, rest_ = {}, std::string();
        std::string f(rest_.substr(0, end));
        rest_.remove_prefix(end + 1);
        return f;
    }
    std::uint64_t number() {
        const std::string f = field();
        std::uint64_t n = 0;
        if (std::from_chars(f.data(), f.data() + f.size(), n).ec != std::errc()) ok_ = false;
        return n;
    }

  private:
    std::string_view rest_;
    bool ok_ = true;
};

}

std::string HookJob::pack() const {
    Packer p;
    p.add(number)
        .add(static_cast<std::uint64_t>(timeout.count()))
        .add(url)
        .add(input)
        .add(environment.size());
    for (const auto& e : environment) p.add(e);
    for (const auto& a : argv) p.add(a);
    return p.take();
}

std::optional<HookJob> HookJob::unpack(std::string_view message) {
    Unpacker u(message);
    HookJob j;
    j.number = u.number();
    j.timeout = std::chrono::milliseconds(u.number());
    j.url = u.field();
    j.input = u.field();
    for (auto n = u.number(); n > 0 && u.ok(); --n) j.environment.push_back(u.field());
    while (u.ok() && !u.at_end()) j.argv.push_back(u.field());
    return u.ok() ? std::optional(std::move(j)) : std::nullopt;
}

std::string HookEnd::pack() const { return Packer().add(number).add(std::uint64_t{ok}).add(detail).take(); }

std::optional<HookEnd> HookEnd::unpack(std::string_view message) {
    Unpacker u(message);
    HookEnd e;
    e.number = u.number();
    e.ok = u.number() != 0;
    e.detail = u.field();
    return u.ok() ? std::optional(std::move(e)) : std::nullopt;
}

} // namespace fairway::daemon
