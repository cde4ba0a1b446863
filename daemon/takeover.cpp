#include "daemon/takeover.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>

namespace fairway::daemon {

using namespace std::chrono_literals;

namespace {

/// The old process answers at once; it waits for us, not we for it. But its disk may be slow where it has to
/// write the last of its state.
constexpr auto patience = 30s;

std::uint64_t number(std::string_view text) {
    std::uint64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

}

std::shared_ptr<Takeover> Takeover::from_environment() {
    const char* given = std::getenv(variable);
    if (!given) return nullptr;
    const std::string text = given;
    unsetenv(variable);
    const int fd = static_cast<int>(number(text));
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        throw std::runtime_error(std::string(variable) + " names no descriptor");
    rlimit limit{};
    if (const auto colon = text.find(':');
        colon != std::string::npos && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = std::min<rlim_t>(number(std::string_view(text).substr(colon + 1)), limit.rlim_max);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return std::shared_ptr<Takeover>(new Takeover(Fd(fd)));
}

TakeoverMessage Takeover::hear(std::string_view word, std::chrono::milliseconds most) {
    for (;;) {
        auto m = link_.hear(most);
        if (!m) throw std::runtime_error("the fairwayd whose place we take is gone, or says nothing");
        if (m->word() == word) return std::move(*m);
        for (auto& fd : m->descriptors) sockets_.push_back(std::move(fd));
    }
}

void Takeover::meet() {
    link_.tell("hello", {{"protocol", TakeoverLink::protocol}, {"version", FAIRWAY_VERSION}});
    const auto hello = hear("hello", patience);
    if (hello.body.text("protocol") != TakeoverLink::protocol)
        throw std::runtime_error("fairwayd " + hello.body.text("version") +
                                 " hands over in another way than this one: restart it");
    version_ = hello.body.text("version");
    state_directory_ = hello.body.text("state");
    control_path_ = hello.body.text("control");
    control_stays_ = hello.body.flag("control_stays");
    auto lock = hear("lock", patience); // the sockets come before it
    if (lock.descriptors.size() == 1) lock_ = std::move(lock.descriptors.front());
    if (!lock_) throw std::runtime_error("the lock of the state directory did not come");
}

void Takeover::accept(const Model& model) const {
    if (model.state.directory != state_directory_)
        throw std::runtime_error("a change of state.directory needs a restart");
    if (model.control.socket != control_path_)
        throw std::runtime_error("a change of control.socket needs a restart");
}

void Takeover::wait_for_turn() {
    link_.tell("prepared");
    const auto yours = hear("yours", patience);
    asker_ = {yours.body.text("who"), yours.body.text("from")};
}

void Takeover::serving() {
    if (!link_.tell("serving", {{"version", FAIRWAY_VERSION}}))
        throw std::runtime_error("the fairwayd whose place we take is gone");
}

bool Takeover::read_counters(std::string& counters) {
    const auto m = link_.hear(1ms);
    if (m && m->word() == "left") counters = m->body.text("counters");
    return m.has_value();
}

} // namespace fairway::daemon
