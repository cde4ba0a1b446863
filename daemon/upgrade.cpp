#include "daemon/upgrade.hpp"

#include "daemon/notify.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>

namespace fairway::daemon {

using policies::CommandResult;

CommandResult Upgrade::run(const Asker& asker) {
    const auto refusal = [](const std::string& why) {
        return CommandResult{false, "not upgraded: " + why + "; this process goes on", {}};
    };
    if (handed_over_) return refusal("another process has taken over already");
    if (getpid() == 1) return refusal("a container ends with its first process: replace the container");
    try {
        auto next = std::make_unique<Successor>(program_);
        std::string why = prepare(*next);
        if (why.empty()) why = hand_over(*next, asker);
        if (!why.empty()) return refusal(why);
        const std::string version = next->said().text("version");
        CommandResult done{
            true, "process " + std::to_string(next->pid()) + " has taken over, fairwayd " + version, {}};
        next->let_go();
        next_ = std::move(next);
        return done;
    } catch (const std::exception& e) { return refusal(e.what()); }
}

/// Empty, or what is in the way.
std::string Upgrade::prepare(Successor& next) {
    if (!next.hear("hello", to_start, stop_)) return next.why();
    if (next.said().text("protocol") != TakeoverLink::protocol)
        return "fairwayd " + next.said().text("version") +
               " takes over in another way than this one: restart it";
    next.tell("hello", {{"protocol", TakeoverLink::protocol},
                        {"version", FAIRWAY_VERSION},
                        {"state", office_.state_directory},
                        {"control", office_.control_path},
                        {"control_stays", office_.control_stays}});
    const auto sockets = office_.sockets();
    std::vector<int> numbers;
    for (const auto& s : sockets) numbers.push_back(s.fd());
    for (std::span<const int> left(numbers); !left.empty();) {
        const auto some = left.first(std::min(left.size(), TakeoverLink::most_descriptors));
        next.tell("sockets", {}, some);
        left = left.subspan(some.size());
    }
    const int lock = office_.lock();
    next.tell("lock", {}, {&lock, 1});
    return next.hear("prepared", to_prepare, stop_) ? "" : next.why();
}

std::string Upgrade::hand_over(Successor& next, const Asker& asker) {
    if (auto why = office_.hold_still(); !why.empty()) return why;
    next.tell("yours", {{"who", asker.who}, {"from", asker.from}});
    if (!next.hear("serving", to_serve, stop_)) {
        next.end(); // before we write again
        office_.go_on();
        return next.why();
    }
    handed_over_ = true;
    notify_main(next.pid());
    office_.leave();
    tell_counters(next);
    return "";
}

bool Upgrade::tell_counters(Successor& next) { return next.tell("left", {{"counters", office_.counters()}}); }

void Upgrade::last_words() {
    if (next_) tell_counters(*next_);
}

} // namespace fairway::daemon
