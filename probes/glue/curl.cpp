#include "probes/glue/curl.hpp"

#include "probes/async/wait.hpp"

#include <curl/curl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

namespace fairway::probes {

namespace {

/// A hundred times what servers send.
constexpr std::size_t header_limit = 64 * 1024;

// X509_V_ERR_* of OpenSSL as CURLINFO_SSL_VERIFYRESULT hands them on.
constexpr long verify_ok = 0, verify_unspecified = 1, verify_expired = 10;

} // namespace

struct Curl::Impl {
    Loop& loop;
    CURLM* multi;
    std::unordered_map<curl_socket_t, Loop::HandlePtr> watches;
    Loop::HandlePtr timer;

    explicit Impl(Loop& l);
    ~Impl();
    void act(curl_socket_t s, int events);
    void watch(curl_socket_t s, int what);
    void set_timer(long ms);
    void collect();
};

namespace {

/// One request in progress. Removing it from the multi handle ends everything curl does for it.
struct Transfer {
    CURLM* multi;
    CURL* easy = curl_easy_init();
    HttpRequest request;
    Socket socket;
    Reason& silence;
    Completion<CURLcode> done;
    Completion<CURLcode>::Setter finished = done.setter();
    HttpAnswer answer;
    std::size_t header_bytes = 0;
    bool too_large = false; // header
    curl_slist* headers = nullptr;
    curl_slist* connect_to = nullptr;
    std::array<char, CURL_ERROR_SIZE> message{};

    Transfer(Curl::Impl& curl, HttpRequest r, Socket s, Reason& sil)
        : multi(curl.multi), request(std::move(r)), socket(std::move(s)), silence(sil), done(curl.loop) {
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
    void set_up_tls();
    Reason failure(CURLcode code) const;
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

int already_connected(void*, curl_socket_t, curlsocktype) noexcept { return CURL_SOCKOPT_ALREADY_CONNECTED; }

int before_request(void* self, char*, char*, int, int) noexcept {
    static_cast<Transfer*>(self)->silence = Reason::timeout_first_byte;
    return CURL_PREREQFUNC_OK;
}

std::size_t on_header(char* data, std::size_t, std::size_t n, void* self) noexcept {
    auto& t = *static_cast<Transfer*>(self);
    t.header_bytes += n;
    t.too_large = t.header_bytes > header_limit;
    if (t.too_large) return 0;
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
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    else if (request.method != "GET") set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(CURLOPT_USERAGENT, "fairway/" FAIRWAY_VERSION);
    for (const std::string& h : request.headers) headers = curl_slist_append(headers, h.c_str());
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_PROXY, ""); // whatever the environment says
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);

    const std::string port = std::to_string(request.address.port);
    const bool v6 = request.address.ip.family == Family::v6;
    const std::string ip = request.address.ip.to_string();
    connect_to = curl_slist_append(nullptr, ("::" + (v6 ? "[" + ip + "]" : ip) + ":" + port).c_str());
    set(CURLOPT_CONNECT_TO, connect_to);
    set(CURLOPT_DNS_CACHE_TIMEOUT, 0L); // it keeps numeric addresses too, and walks them all at each request
    set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(CURLOPT_SOCKOPTFUNCTION, &already_connected);
    set(CURLOPT_PREREQFUNCTION, &before_request);
    set(CURLOPT_PREREQDATA, static_cast<void*>(this));
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set_up_tls();
}

void Transfer::set_up_tls() {
    const TlsSettings& tls = request.tls;
    set(CURLOPT_SSL_VERIFYPEER, tls.verify == TlsSettings::Verify::none ? 0L : 1L);
    set(CURLOPT_SSL_VERIFYHOST, tls.verify == TlsSettings::Verify::full ? 2L : 0L);
    set(CURLOPT_CAPATH, nullptr); // with a file alone curl parses it once, not once a probe
    if (!tls.ca_file.empty()) set(CURLOPT_CAINFO, tls.ca_file.c_str());
    if (!tls.cert_file.empty()) set(CURLOPT_SSLCERT, tls.cert_file.c_str());
    if (!tls.key_file.empty()) set(CURLOPT_SSLKEY, tls.key_file.c_str());
}

// ---- what its failures mean

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
    const bool was_reset = info<long>(CURLINFO_OS_ERRNO) == ECONNRESET || says(std::strerror(ECONNRESET)) ||
                           says(std::strerror(EPIPE));
    switch (code) {
    case CURLE_OK: return Reason::ok;
    case CURLE_WRITE_ERROR:
        return too_large ? Reason::oversize_body : Reason::ok; // our own stop at the limit
    case CURLE_PEER_FAILED_VERIFICATION: return certificate_failure();
    case CURLE_SSL_CONNECT_ERROR:
        if (was_reset) return Reason::reset;
        return says("unexpected eof") || says("SSL_ERROR_SYSCALL") ? Reason::closed : Reason::tls_failure;
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT: return Reason::tls_failure;
    case CURLE_GOT_NOTHING: return was_reset ? Reason::reset : Reason::closed;
    case CURLE_PARTIAL_FILE: return was_reset ? Reason::reset : Reason::closed;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        if (was_reset) return Reason::reset;
        if (says("Too large")) return Reason::oversize_body; // curl's own limit of headers
        return says("alert") ? Reason::tls_failure : Reason::closed;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: // it did not speak HTTP/1
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
    case CURLE_HTTP_RETURNED_ERROR: return Reason::bad_response;
    case CURLE_OUT_OF_MEMORY: return Reason::local_limit;
    default: return Reason::internal; // a CA file that cannot be read, a URL we made badly
    }
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

Curl::Impl::Impl(Loop& l) : loop(l) {
    static std::once_flag once; // the library counts its users only from one thread at a time
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi = curl_multi_init();
    if (!multi) throw std::runtime_error("libcurl does not start");
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, static_cast<void*>(this));
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, static_cast<void*>(this));
}

Curl::Impl::~Impl() { curl_multi_cleanup(multi); }

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
        reinterpret_cast<Transfer*>(transfer)->finished(m->data.result);
    }
}

Curl::Curl(Loop& loop) : impl_(std::make_unique<Impl>(loop)) {}
Curl::~Curl() = default;

Task<HttpAnswer> Curl::perform(HttpRequest request, Socket connected, Reason& silence) {
    silence = request.url.starts_with("https:") ? Reason::timeout_tls : Reason::timeout_first_byte;
    Transfer transfer(*impl_, std::move(request), std::move(connected), silence);
    if (curl_multi_add_handle(impl_->multi, transfer.easy) != CURLM_OK) throw std::bad_alloc();
    const CURLcode code = co_await transfer.done;

    HttpAnswer answer = std::move(transfer.answer);
    answer.status = static_cast<int>(transfer.info<long>(CURLINFO_RESPONSE_CODE));
    answer.reason = transfer.failure(code);
    const char* redirect = transfer.info<const char*>(CURLINFO_REDIRECT_URL);
    if (redirect) answer.location = redirect;
    if (answer.reason != Reason::ok)
        answer.detail = transfer.message[0] != 0 ? transfer.message.data() : curl_easy_strerror(code);
    co_return answer;
}

} // namespace fairway::probes
