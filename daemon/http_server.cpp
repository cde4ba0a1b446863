#include "daemon/http_server.hpp"

#include <arpa/inet.h>
#include <microhttpd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <thread>

namespace fairway::daemon {

using namespace std::chrono_literals;

namespace {

constexpr const char* tls_versions = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"; // GnuTLS' words

/// One request as it arrives; MHD calls several times with the same one.
struct Arriving {
    HttpRequest request;
    bool oversize = false;
};

MHD_Result add_query(void* to, MHD_ValueKind, const char* key, const char* value) {
    static_cast<Arriving*>(to)->request.query[key] = value ? value : "";
    return MHD_YES;
}

MHD_Result add_header(void* to, MHD_ValueKind, const char* key, const char* value) {
    std::string name(key);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    static_cast<Arriving*>(to)->request.headers[name] = value ? value : "";
    return MHD_YES;
}

std::string bearer_of(MHD_Connection* connection) {
    constexpr std::string_view scheme = "Bearer ";
    const char* given =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    const std::string_view text = given ? given : "";
    return text.starts_with(scheme) ? std::string(text.substr(scheme.size())) : "";
}

/// A body without an end, as libmicrohttpd takes it: a piece at a time.
struct Flow {
    std::function<std::string()> more;
    std::string left;

    static ssize_t read(void* self, std::uint64_t, char* buffer, std::size_t most) {
        auto& flow = *static_cast<Flow*>(self);
        if (flow.left.empty()) flow.left = flow.more();
        if (flow.left.empty()) return MHD_CONTENT_READER_END_OF_STREAM;
        const std::size_t n = flow.left.copy(buffer, most);
        flow.left.erase(0, n);
        return static_cast<ssize_t>(n);
    }
    static void forget(void* self) { delete static_cast<Flow*>(self); }
};

MHD_Response* response_of(const HttpResponse& r) {
    constexpr std::size_t piece = 16 * 1024;
    if (r.more)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, piece, &Flow::read, new Flow{r.more, {}},
                                                 &Flow::forget);
    return MHD_create_response_from_buffer(r.body.size(), const_cast<char*>(r.body.data()),
                                           MHD_RESPMEM_MUST_COPY);
}

/// What a browser is told with every answer: to load nothing from elsewhere, to run no script but ours, to
/// show us in nobody's frame.
constexpr std::array<std::pair<const char*, const char*>, 4> always{
    {{MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
     {"Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
     {"X-Content-Type-Options", "nosniff"},
     {"Referrer-Policy", "no-referrer"}}};

MHD_Result send(MHD_Connection* connection, const HttpResponse& r) {
    MHD_Response* response = response_of(r);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r.type.c_str());
    for (const auto& [name, value] : always) MHD_add_response_header(response, name, value);
    if (r.status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (r.status == MHD_HTTP_METHOD_NOT_ALLOWED) // where one is refused, it is not to read: RFC 9110, 15.5.6
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(r.status), response);
    MHD_destroy_response(response);
    return queued;
}

std::string peer_of(MHD_Connection* connection) {
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    std::array<char, INET6_ADDRSTRLEN> text{};
    const sockaddr* peer = info ? info->client_addr : nullptr;
    const void* address = nullptr;
    if (peer && peer->sa_family == AF_INET) address = &reinterpret_cast<const sockaddr_in*>(peer)->sin_addr;
    if (peer && peer->sa_family == AF_INET6)
        address = &reinterpret_cast<const sockaddr_in6*>(peer)->sin6_addr;
    return address && inet_ntop(peer->sa_family, address, text.data(), text.size()) ? text.data() : "";
}

void forget(void*, MHD_Connection*, void** arriving, MHD_RequestTerminationCode) {
    delete static_cast<Arriving*>(*arriving);
    *arriving = nullptr;
}

}

struct HttpServer::State {
    Handler handler;
    HttpLimits limits;
    MHD_Daemon* daemon = nullptr;

    /// The first call of a request: nothing but its head is there.
    MHD_Result begin(MHD_Connection* connection, const char* path, const char* method, void** slot) const {
        auto fresh = std::make_unique<Arriving>();
        fresh->request.method = method;
        fresh->request.path = path;
        MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, fresh.get());
        MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, fresh.get());
        if (const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD))
            fresh->request.connection = info->connect_fd;
        fresh->request.peer = peer_of(connection);
        fresh->request.bearer = bearer_of(connection);
        *slot = fresh.release();
        return MHD_YES;
    }

    void take(Arriving& a, const char* data, std::size_t size) const {
        a.oversize |= a.request.body.size() + size > limits.body;
        if (!a.oversize) a.request.body.append(data, size);
    }

    HttpResponse answer(const Arriving& a) const {
        if (a.oversize) return {413, R"({"error":"the request is too large"})"};
        try {
            return handler(a.request);
        } catch (const std::exception&) { return {500, R"({"error":"internal error"})"}; }
    }

    static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                                 const char*, const char* data, std::size_t* size, void** slot) {
        const auto& state = *static_cast<State*>(self);
        if (!*slot) return state.begin(connection, path, method, slot);
        auto& arriving = *static_cast<Arriving*>(*slot);
        if (*size == 0) return send(connection, state.answer(arriving));
        state.take(arriving, data, *size);
        *size = 0;
        return MHD_YES;
    }
};

HttpServer::HttpServer(Fd listening, Handler handler, HttpLimits limits, const HttpTls& tls)
    : state_(std::make_unique<State>(State{std::move(handler), limits, nullptr})) {
    std::array<MHD_OptionItem, 4> secure{{{MHD_OPTION_END, 0, nullptr}}};
    if (!tls.certificate.empty())
        secure = {{{MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(tls.certificate.c_str())},
                   {MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(tls.key.c_str())},
                   {MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(tls_versions)},
                   {MHD_OPTION_END, 0, nullptr}}};
    // A thread a connection: handlers wait for the control thread, and connections are few. ITC: a server
    // that ends leaves the listening socket to others that have it.
    unsigned flags =
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC;
    if (!tls.certificate.empty()) flags |= MHD_USE_TLS;
    state_->daemon = MHD_start_daemon(
        flags, 0, nullptr, nullptr, &State::on_request, state_.get(), MHD_OPTION_LISTEN_SOCKET,
        listening.get(), MHD_OPTION_CONNECTION_LIMIT, limits.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        limits.per_address, MHD_OPTION_CONNECTION_TIMEOUT, limits.idle_seconds, MHD_OPTION_NOTIFY_COMPLETED,
        &forget, nullptr, MHD_OPTION_ARRAY, secure.data(), MHD_OPTION_END);
    if (!state_->daemon)
        throw std::runtime_error(tls.certificate.empty()
                                     ? "cannot start an HTTP server"
                                     : "cannot start an HTTPS server: do the certificate and its key fit?");
    listening.release(); // MHD closes it
}

int HttpServer::listening() const {
    const auto* info = MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    return info ? info->listen_fd : -1;
}

void HttpServer::stop_accepting() { const Fd no_longer_listening(MHD_quiesce_daemon(state_->daemon)); }

unsigned HttpServer::connections() const {
    const auto* info = MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info ? info->num_connections : 0;
}

void HttpServer::finish(std::chrono::milliseconds at_most, const std::stop_token& stop) {
    stop_accepting();
    const auto end = std::chrono::steady_clock::now() + at_most;
    while (std::chrono::steady_clock::now() < end && !stop.stop_requested()) {
        if (connections() == 0) return;
        std::this_thread::sleep_for(20ms); // libmicrohttpd tells nobody when the last one ends
    }
}

HttpServer::~HttpServer() { MHD_stop_daemon(state_->daemon); }

} // namespace fairway::daemon
