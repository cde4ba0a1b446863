#include "daemon/http_server.hpp"

#include <microhttpd.h>

#include <stdexcept>

namespace fairway::daemon {

namespace {

/// One request as it arrives; MHD calls several times with the same one.
struct Arriving {
    HttpRequest request;
    bool oversize = false;
};

MHD_Result add_query(void* to, MHD_ValueKind, const char* key, const char* value) {
    static_cast<Arriving*>(to)->request.query[key] = value ? value : "";
    return MHD_YES;
}

MHD_Result send(MHD_Connection* connection, const HttpResponse& r) {
    MHD_Response* response = MHD_create_response_from_buffer(r.body.size(), const_cast<char*>(r.body.data()),
                                                             MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r.type.c_str());
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(r.status), response);
    MHD_destroy_response(response);
    return queued;
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
        if (const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD))
            fresh->request.connection = info->connect_fd;
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

HttpServer::HttpServer(Fd listening, Handler handler, HttpLimits limits)
    : state_(std::make_unique<State>(State{std::move(handler), limits, nullptr})) {
    // A thread a connection: handlers wait for the control thread, and connections are few.
    state_->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, nullptr, nullptr,
        &State::on_request, state_.get(), MHD_OPTION_LISTEN_SOCKET, listening.get(),
        MHD_OPTION_CONNECTION_LIMIT, limits.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        limits.per_address, MHD_OPTION_CONNECTION_TIMEOUT, limits.idle_seconds, MHD_OPTION_NOTIFY_COMPLETED,
        &forget, nullptr, MHD_OPTION_END);
    if (!state_->daemon) throw std::runtime_error("cannot start an HTTP server");
    listening.release(); // MHD closes it
}

HttpServer::~HttpServer() { MHD_stop_daemon(state_->daemon); }

} // namespace fairway::daemon
