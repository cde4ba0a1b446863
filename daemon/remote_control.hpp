// Remote control: the control API over TLS, for those who hold a token; and for datacenters that report about
// themselves, whose tokens open nothing else.
//
// Certificate, key and tokens are read anew at each reload; what cannot be used leaves the old ones. Belongs
// to the control thread; its servers answer in threads of their own.
#pragma once

#include "config/model.hpp"
#include "daemon/http_server.hpp"
#include "daemon/tokens.hpp"
#include "dns/sockets.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fairway::daemon {

class RemoteControl {
  public:
    using Answer = std::function<HttpResponse(const HttpRequest&, const std::string& who)>;

    /// Listens, if the settings say so; throws std::runtime_error.
    RemoteControl(const ControlSettings& settings, Answer answer, dns::GivenSockets* given = nullptr);

    /// Throws std::runtime_error where something cannot be used: then everything is as it was.
    void reload(const ControlSettings& settings);

    std::vector<SocketAddress> addresses() const;
    std::vector<int> listening() const; ///< descriptors, which stay its own
    void stop_accepting();              ///< others who have the sockets do; requests under way are answered

  private:
    HttpResponse answer(const HttpRequest& request) const;
    void serve(const HttpTls& tls);

    Answer answer_;
    std::vector<std::pair<SocketAddress, Fd>> sockets_;
    HttpTls tls_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Tokens> tokens_; ///< under the mutex
    using Servers = std::vector<std::unique_ptr<HttpServer>>;
    Servers servers_;
    std::jthread retiring_; ///< replaced servers end when their last request is answered
};

} // namespace fairway::daemon
