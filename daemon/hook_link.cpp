#include "daemon/hook_link.hpp"

#include "daemon/serialize.hpp"

#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

namespace fairway::daemon {

namespace {

HookJob job(const Hook& hook, const Service& service, const policies::HookRequest& r) {
    HookJob j;
    j.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(hook.timeout);
    j.url = hook.http;
    j.argv = hook.exec;
    j.input = hook_json(service, r);
    j.environment = {"FAIRWAY_ID=" + r.switch_id,
                     "FAIRWAY_SERVICE=" + service.name.to_string(),
                     "FAIRWAY_STEP=" + std::string(step_name(r.step)),
                     "FAIRWAY_FROM=" + r.from,
                     "FAIRWAY_TO=" + r.to,
                     "FAIRWAY_REASON=" + r.reason};
    if (r.lag)
        j.environment.push_back(
            "FAIRWAY_LAG_MS=" +
            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(*r.lag).count()));
    return j;
}

}

HookLink::HookLink(Loop& loop, Helper helper) : loop_(loop), helper_(std::move(helper)) {
    watch_ = loop_.watch(helper_.link.get(), Loop::readable, [this](unsigned) { receive(); });
}

HookLink::~HookLink() {
    watch_.reset();
    helper_.link.reset(); // it ends when the link does
    if (helper_.pid > 0) waitpid(helper_.pid, nullptr, 0);
}

void HookLink::run(const Hook& hook, const Service& service, const policies::HookRequest& request,
                   Done done) {
    HookJob j = job(hook, service, request);
    j.number = ++last_;
    policies::HookResult result{service.name.to_string(), request.switch_id, request.step, false, {}};
    auto limit = loop_.after(hook.timeout + slack,
                             [this, n = j.number] { finish(n, false, "the hook helper does not answer"); });
    running_.emplace(j.number, Running{std::move(result), std::move(done), std::move(limit)});
    const std::string message = j.pack();
    if (helper_.link &&
        send(helper_.link.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        return;
    const std::string why = helper_.link
                                ? std::string("cannot reach the hook helper: ") + std::strerror(errno)
                                : "the hook helper has died; restart fairwayd to run hooks again";
    loop_.post([this, n = j.number, why] { finish(n, false, why); }); // never answered from within run()
}

void HookLink::receive() {
    std::string message(most_message, '\0');
    for (;;) {
        const ssize_t n = recv(helper_.link.get(), message.data(), message.size(), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n <= 0) return lost();
        if (auto end = HookEnd::unpack(std::string_view(message).substr(0, static_cast<std::size_t>(n))))
            finish(end->number, end->ok, std::move(end->detail));
    }
}

void HookLink::finish(std::uint64_t number, bool ok, std::string detail) {
    auto node = running_.extract(number);
    if (!node) return;
    Running& r = node.mapped();
    r.result.ok = ok;
    r.result.detail = std::move(detail);
    r.done(std::move(r.result));
}

void HookLink::lost() {
    watch_.reset();
    helper_.link.reset();
    while (!running_.empty()) finish(running_.begin()->first, false, "the hook helper has died");
}

} // namespace fairway::daemon
