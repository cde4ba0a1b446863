#include "probes/glue/curl.hpp"

#include "probes/async/wait.hpp"
#include "probes/glue/stream.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>

namespace fairway::probes {

namespace {

/// A hundred times what servers send.
constexpr std::size_t header_limit = 64 * 1024;

/// Seconds until a changed CA file counts. curl's own is a day; parsing the system's takes some ms.
constexpr long ca_file_believed = 300;

// X509_V_ERR_* of OpenSSL as CURLINFO_SSL_VERIFYRESULT hands them on.
constexpr long verify_ok = 0, verify_unspecified = 1, verify_expired = 10;

} // namespace

using Share = std::shared_ptr<CURLSH>;

struct Curl::Impl {
    std::unordered_set<curl_socket_t> torn_down; // sockets that had been reset when curl closed them
    Loop& loop;
    CURLM* multi;
    struct Sessions {
        Share share;
        Instant since; ///< its first, full handshake at the earliest
    };
    std::unordered_map<std::string, Sessions> sessions; // by whom they are with
    std::unordered_map<curl_socket_t, Loop::HandlePtr> watches;
    Loop::HandlePtr timer;

    Impl(Loop& l, std::size_t kept);
    ~Impl();
    Share sessions_with(const HttpRequest& r);
    void act(curl_socket_t s, int events);
    void watch(curl_socket_t s, int what);
    void set_timer(long ms);
    void collect();
};

namespace {

/// One request in progress. Removing it from the multi handle ends everything curl does for it. Without a
/// socket it only goes out on a connection that is kept.
struct Transfer {
    Curl::Impl& impl;
    CURLM* multi;
    Share sessions; // outlives `easy`, which uses it
    CURL* easy = curl_easy_init();
    const HttpRequest& request;
    Socket socket;
    Reason& silence;
    Completion<CURLcode> done;
    Completion<CURLcode>::Setter finished = done.setter();
    HttpAnswer answer;
    std::size_t header_bytes = 0;
    bool too_large = false; // header
    bool was_reset = false;
    bool certificate_refused = false;
    const curl_socket_t first_socket;
    curl_slist* headers = nullptr;
    curl_slist* connect_to = nullptr;
    std::array<char, CURL_ERROR_SIZE> message{};

    Transfer(Curl::Impl& curl, const HttpRequest& r, Socket s, Reason& sil)
        : impl(curl),
          multi(curl.multi),
          sessions(curl.sessions_with(r)),
          request(r),
          socket(std::move(s)),
          silence(sil),
          done(curl.loop),
          first_socket(socket.fd()) {
        if (!easy) throw std::bad_alloc();
        set_up();
    }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer() {
        curl_multi_remove_handle(multi, easy);
        curl_easy_cleanup(easy);
        curl_slist_free_all(headers);
        curl_slist_free_all(connect_to);
    }

    template<class T> void set(CURLoption option, T value) { curl_easy_setopt(easy, option, value); }
    template<class T> T info(CURLINFO what) const {
        T value{};
        curl_easy_getinfo(easy, what, &value);
        return value;
    }
    void set_up();
    void set_up_method();
    void set_up_tls();
    void keep(std::string_view header);
    void end(CURLcode code); ///< in curl's own turn, while what it knows of the connection is still there
    Reason failure(CURLcode code) const;
    Reason broken(CURLcode code) const;
    Reason certificate_failure() const;
    bool says(std::string_view text) const {
        return std::string_view(message.data()).find(text) != std::string_view::npos;
    }
};

// ---- curl's callbacks of one request: they note, nothing else

curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr*) noexcept {
    const int fd = static_cast<Transfer*>(self)->socket.release();
    return fd < 0 ? CURL_SOCKET_BAD : fd; // curl owns it from here
}

/// The socket may be a kept one's whose request is long over.
int close_socket(void* self, curl_socket_t s) noexcept {
    auto& torn_down = static_cast<Curl::Impl*>(self)->torn_down;
    if (was_reset(s)) torn_down.insert(s);
    else torn_down.erase(s);
    return close(s);
}

int already_connected(void*, curl_socket_t, curlsocktype) noexcept { return CURL_SOCKOPT_ALREADY_CONNECTED; }

int before_request(void* self, char*, char*, int, int) noexcept {
    auto& t = *static_cast<Transfer*>(self);
    t.silence = Reason::timeout_first_byte;
    const auto* session = t.info<curl_tlssessioninfo*>(CURLINFO_TLS_SSL_PTR);
    if (session && session->backend == CURLSSLBACKEND_OPENSSL)
        t.answer.certificate_ends = certificate_ends_of(session->internals);
    return CURL_PREREQFUNC_OK;
}

std::size_t on_header(char* data, std::size_t, std::size_t n, void* self) noexcept {
    auto& t = *static_cast<Transfer*>(self);
    t.header_bytes += n;
    t.too_large = t.header_bytes > header_limit;
    if (t.too_large) return 0;
    t.keep(std::string_view(data, n));
    const auto status = static_cast<int>(t.info<long>(CURLINFO_RESPONSE_CODE));
    const bool last = std::string_view(data, n) == "\r\n" || std::string_view(data, n) == "\n";
    const Reason verdict = last && status >= 200 ? t.request.judge(status) : Reason::ok;
    t.silence = verdict == Reason::ok ? Reason::timeout_body : verdict;
    return n;
}

std::size_t on_body(char* data, std::size_t, std::size_t n, void* self) noexcept {
    auto& t = *static_cast<Transfer*>(self);
    const std::size_t room = t.request.body_limit - t.answer.body.size();
    t.answer.body.append(data, std::min(n, room));
    t.answer.cut = n > room;
    return t.answer.cut ? 0 : n;
}

// ---- its settings

void Transfer::set_up() {
    set(CURLOPT_PRIVATE, static_cast<void*>(this));
    set(CURLOPT_ERRORBUFFER, message.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PATH_AS_IS, 1L);
    const bool tls = request.url.starts_with("https:");
    const long version = !request.http2 ? CURL_HTTP_VERSION_1_1
                         : tls          ? CURL_HTTP_VERSION_2TLS
                                        : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    set(CURLOPT_HTTP_VERSION, version);
    set_up_method();
    set(CURLOPT_USERAGENT, "fairway/" FAIRWAY_VERSION);
    for (const std::string& h : request.headers) headers = curl_slist_append(headers, h.c_str());
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_PROXY, ""); // whatever the environment says
    set(CURLOPT_FRESH_CONNECT, socket ? 1L : 0L);
    set(CURLOPT_FORBID_REUSE, request.reuse ? 0L : 1L);
    if (sessions) set(CURLOPT_SHARE, sessions.get());

    const std::string port = std::to_string(request.address.port);
    const bool v6 = request.address.ip.family == Family::v6;
    const std::string ip = request.address.ip.to_string();
    connect_to = curl_slist_append(nullptr, ("::" + (v6 ? "[" + ip + "]" : ip) + ":" + port).c_str());
    set(CURLOPT_CONNECT_TO, connect_to);
    set(CURLOPT_DNS_CACHE_TIMEOUT, 0L); // it keeps numeric addresses too, and walks them all at each request
    set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(CURLOPT_CLOSESOCKETFUNCTION, &close_socket);
    set(CURLOPT_CLOSESOCKETDATA, static_cast<void*>(&impl));
    set(CURLOPT_SOCKOPTFUNCTION, &already_connected);
    set(CURLOPT_PREREQFUNCTION, &before_request);
    set(CURLOPT_PREREQDATA, static_cast<void*>(this));
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set_up_tls();
}

void Transfer::set_up_method() {
    if (!request.body.empty()) {
        set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
        set(CURLOPT_POSTFIELDS, request.body.data());
    }
    if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    else if (request.method != "GET") set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

/// "Name: value\r\n", if it is one of those wanted.
void Transfer::keep(std::string_view header) {
    const std::size_t colon = header.find(':');
    if (request.keep.empty() || colon == header.npos) return;
    std::string name(header.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::find(request.keep.begin(), request.keep.end(), name) == request.keep.end()) return;
    std::string_view value = header.substr(colon + 1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front()))) value.remove_prefix(1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back()))) value.remove_suffix(1);
    answer.kept[name] = value;
}

void Transfer::set_up_tls() {
    const TlsSettings& tls = request.tls;
    set(CURLOPT_SSL_VERIFYPEER, tls.verify == TlsSettings::Verify::none ? 0L : 1L);
    set(CURLOPT_SSL_VERIFYHOST, tls.verify == TlsSettings::Verify::full ? 2L : 0L);
    set(CURLOPT_CAPATH, nullptr); // with a file alone curl parses it once, not once a probe
    set(CURLOPT_CA_CACHE_TIMEOUT, ca_file_believed);
    if (!tls.ca_file.empty()) set(CURLOPT_CAINFO, tls.ca_file.c_str());
    if (!tls.cert_file.empty()) set(CURLOPT_SSLCERT, tls.cert_file.c_str());
    if (!tls.key_file.empty()) set(CURLOPT_SSLKEY, tls.key_file.c_str());
}

// ---- what its failures mean

void Transfer::end(CURLcode code) {
    was_reset = impl.torn_down.erase(first_socket) > 0;
    certificate_refused = request.tls.verify != TlsSettings::Verify::none && last_certificate_refused();
    finished(code);
}

Reason Transfer::certificate_failure() const {
    switch (info<long>(CURLINFO_SSL_VERIFYRESULT)) {
    case verify_expired: return Reason::expired_certificate;
    case verify_ok:
    case verify_unspecified:
        return Reason::wrong_name; // curl looks at the name before it asks for the chain's result
    default: return Reason::bad_certificate;
    }
}

Reason Transfer::failure(CURLcode code) const {
    switch (code) {
    case CURLE_OK: return Reason::ok;
    case CURLE_WRITE_ERROR:
        return too_large ? Reason::oversize_body : Reason::ok; // our own stop at the limit
    case CURLE_PEER_FAILED_VERIFICATION: return certificate_failure();
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: // it did not speak HTTP/1
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP_RETURNED_ERROR: return Reason::bad_response;
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT: return Reason::tls_failure;
    case CURLE_OUT_OF_MEMORY: return Reason::oversize_body; // its word for a header line of more than 100 KB
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_COULDNT_CONNECT: // it wanted to try again on a new connection
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return broken(code);
    default: return Reason::internal; // a CA file that cannot be read, a URL we made badly
    }
}

/// Of a connection that did not last, or not make sense.
Reason Transfer::broken(CURLcode code) const {
    if (was_reset || says(std::strerror(ECONNRESET)) || says(std::strerror(EPIPE))) return Reason::reset;
    if (code == CURLE_SSL_CONNECT_ERROR) {
        if (certificate_refused) return Reason::bad_certificate; // its signature is not its issuer's
        return says("unexpected eof") || says("SSL_ERROR_SYSCALL") ? Reason::closed : Reason::tls_failure;
    }
    if (says("end of the underlying stream")) return Reason::closed;
    if (code == CURLE_HTTP2_STREAM) return Reason::reset;                        // the one stream there was
    if (code == CURLE_GOT_NOTHING && request.http2) return Reason::bad_response; // frames that make no sense
    if (says("Too large")) return Reason::oversize_body; // curl's own limit of headers
    if (says("chunked-encoding")) return Reason::bad_response;
    return says("alert") ? Reason::tls_failure : Reason::closed;
}

// ---- curl's callbacks of the multi handle: sockets and time, by way of the loop

int on_socket(CURL*, curl_socket_t s, int what, void* self, void*) noexcept {
    static_cast<Curl::Impl*>(self)->watch(s, what);
    return 0;
}

int on_timer(CURLM*, long ms, void* self) noexcept {
    static_cast<Curl::Impl*>(self)->set_timer(ms);
    return 0;
}

} // namespace

Curl::Impl::Impl(Loop& l, std::size_t kept) : loop(l) {
    static std::once_flag once; // the library counts its users only from one thread at a time
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    remember_tls_verdicts();
    multi = curl_multi_init();
    if (!multi) throw std::runtime_error("libcurl does not start");
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, static_cast<void*>(this));
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, static_cast<void*>(this));
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(kept)); // else four times the busy ones
}

Curl::Impl::~Impl() { curl_multi_cleanup(multi); }

/// A memory of sessions for each target: one shared by all would hold eight.
Share Curl::Impl::sessions_with(const HttpRequest& r) {
    if (!r.url.starts_with("https:")) return nullptr;
    const Instant now = loop.now().mono;
    if (sessions.size() >= sessions_kept) sessions.clear(); // those in use live on with their requests
    const std::string with = r.url.substr(0, r.url.find('/', 8)) + ' ' + r.address.to_string() + ' ' +
                             std::to_string(static_cast<int>(r.tls.verify)) + ' ' + r.tls.ca_file + ' ' +
                             r.tls.cert_file;
    Sessions& s = sessions[with];
    if (s.share && now - s.since < resumed_for) return s.share;
    s.share = Share(curl_share_init(), [](CURLSH* share) { curl_share_cleanup(share); });
    s.since = now;
    curl_share_setopt(s.share.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return s.share;
}

void Curl::Impl::act(curl_socket_t s, int events) {
    int running = 0;
    curl_multi_socket_action(multi, s, events, &running);
    collect();
}

void Curl::Impl::watch(curl_socket_t s, int what) {
    watches.erase(s); // before curl closes it, and before it is watched anew
    if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) return;
    const unsigned events = (what & CURL_POLL_IN ? Loop::readable : Loop::none) |
                            (what & CURL_POLL_OUT ? Loop::writable : Loop::none);
    watches[s] = loop.watch(s, events, [this, s](unsigned seen) {
        act(s,
            (seen & Loop::readable ? CURL_CSELECT_IN : 0) | (seen & Loop::writable ? CURL_CSELECT_OUT : 0));
    });
}

void Curl::Impl::set_timer(long ms) {
    timer.reset();
    if (ms < 0) return;
    timer = loop.after(std::chrono::milliseconds(ms), [this] { act(CURL_SOCKET_TIMEOUT, 0); });
}

void Curl::Impl::collect() {
    int left = 0;
    while (const CURLMsg* m = curl_multi_info_read(multi, &left)) {
        if (m->msg != CURLMSG_DONE) continue;
        char* transfer = nullptr;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &transfer);
        reinterpret_cast<Transfer*>(transfer)->end(m->data.result);
    }
}

Curl::Curl(Loop& loop, std::size_t kept) : impl_(std::make_unique<Impl>(loop, kept)) {}
Curl::~Curl() = default;

namespace {

/// What came of it; nothing if no connection was kept.
Task<std::optional<HttpAnswer>> attempt(Curl::Impl& curl, const HttpRequest& request, Socket connected,
                                        Reason& silence) {
    const bool kept = !connected;
    Transfer transfer(curl, request, std::move(connected), silence);
    if (curl_multi_add_handle(curl.multi, transfer.easy) != CURLM_OK) throw std::bad_alloc();
    const CURLcode code = co_await transfer.done;
    std::optional<HttpAnswer> answer;
    if (kept && code == CURLE_COULDNT_CONNECT) co_return answer;

    answer.emplace(std::move(transfer.answer));
    answer->status = static_cast<int>(transfer.info<long>(CURLINFO_RESPONSE_CODE));
    answer->reason = transfer.failure(code);
    const char* redirect = transfer.info<const char*>(CURLINFO_REDIRECT_URL);
    if (redirect) answer->location = redirect;
    if (answer->reason != Reason::ok)
        answer->detail = transfer.message[0] != 0 ? transfer.message.data() : curl_easy_strerror(code);
    if (code == CURLE_OK && request.http2 &&
        transfer.info<long>(CURLINFO_HTTP_VERSION) != CURL_HTTP_VERSION_2_0) {
        answer->reason = Reason::bad_response;
        answer->detail = "the server did not agree to HTTP/2";
    }
    co_return answer;
}

} // namespace

Task<HttpAnswer> Curl::perform(HttpRequest request, Reason& silence) {
    if (request.reuse) {
        silence = Reason::timeout_first_byte;
        Task<std::optional<HttpAnswer>> asking = attempt(*impl_, request, Socket(), silence);
        std::optional<HttpAnswer> answer = co_await asking;
        if (answer) co_return std::move(*answer);
    }
    silence = Reason::timeout_connect;
    Task<Connection> connecting = connect(impl_->loop, request.address, request.route);
    Connection c = co_await connecting;
    if (!c.stands()) {
        HttpAnswer none;
        none.reason = c.reason(request.address);
        none.detail = c.text();
        co_return none;
    }
    silence = request.url.starts_with("https:") ? Reason::timeout_tls : Reason::timeout_first_byte;
    Task<std::optional<HttpAnswer>> asking = attempt(*impl_, request, std::move(c.socket), silence);
    std::optional<HttpAnswer> answer = co_await asking;
    co_return std::move(*answer);
}

} // namespace fairway::probes
