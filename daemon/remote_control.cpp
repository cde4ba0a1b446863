#include "daemon/remote_control.hpp"

#include "daemon/control_api.hpp"
#include "daemon/sockets.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace fairway::daemon {

namespace {

std::string text_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    if (!in || text.empty()) throw std::runtime_error(file + ": cannot be read, or is empty");
    return text;
}

/// For the answers of a server that is replaced: a reload of the largest configuration, asked for from afar.
constexpr auto last_answers = 60s;

Fd another(const Fd& fd) {
    Fd copy(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) throw std::runtime_error(std::strerror(errno));
    return copy;
}

} // namespace

RemoteControl::RemoteControl(const ControlSettings& settings, Answer answer, dns::GivenSockets* given)
    : answer_(std::move(answer)) {
    for (const SocketAddress& address : settings.listen) {
        try {
            Fd fd = listen_tcp(address, given);
            sockets_.emplace_back(bound_address(fd), std::move(fd));
        } catch (const std::runtime_error& e) {
            throw std::runtime_error("control.listen " + std::string(e.what()));
        }
    }
    reload(settings);
}

void RemoteControl::reload(const ControlSettings& settings) {
    if (sockets_.empty()) return;
    auto tokens = std::make_shared<const Tokens>(Tokens::read(settings.tokens_file));
    HttpTls tls{text_of(settings.cert_file), text_of(settings.key_file)};
    if (tls.certificate != tls_.certificate || tls.key != tls_.key) serve(tls);
    const std::lock_guard hold(mutex_);
    tokens_ = std::move(tokens);
}

/// New servers on the same sockets before the old ones end: nobody is turned away between them. The old ones
/// end in a thread of their own, since what they are asked may wait for this one.
void RemoteControl::serve(const HttpTls& tls) {
    Servers servers;
    for (const auto& [address, fd] : sockets_)
        servers.push_back(std::make_unique<HttpServer>(
            another(fd), [this](const HttpRequest& r) { return this->answer(r); }, HttpLimits(), tls));
    tls_ = tls;
    servers_.swap(servers);
    if (!servers.empty())
        retiring_ = std::jthread([old = std::move(servers)](const std::stop_token& stop) {
            for (const auto& server : old) server->finish(last_answers, stop);
        });
}

HttpResponse RemoteControl::answer(const HttpRequest& request) const {
    if (ControlApi::is_report(request)) return answer_(request, "");
    std::shared_ptr<const Tokens> tokens;
    {
        const std::lock_guard hold(mutex_);
        tokens = tokens_;
    }
    const auto who = tokens ? tokens->owner(request.bearer) : std::nullopt;
    if (!who)
        return {401, error_json(request.bearer.empty() ? "a token is needed: Authorization: Bearer TOKEN"
                                                       : "the token is not known: control.tokens lists "
                                                         "those that are")};
    return answer_(request, *who);
}

std::vector<int> RemoteControl::listening() const {
    std::vector<int> all;
    for (const auto& [address, fd] : sockets_) all.push_back(fd.get());
    return all;
}

void RemoteControl::stop_accepting() {
    for (const auto& server : servers_) server->stop_accepting();
}

std::vector<SocketAddress> RemoteControl::addresses() const {
    std::vector<SocketAddress> all;
    for (const auto& [address, fd] : sockets_) all.push_back(address);
    return all;
}

} // namespace fairway::daemon
