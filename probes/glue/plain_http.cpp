#include "probes/glue/plain_http.hpp"

#include "probes/async/wait.hpp"

#include <http_parser.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string_view>
#include <strings.h>
#include <sys/socket.h>

namespace fairway::probes {

namespace {

constexpr std::uint32_t header_limit = 64 * 1024; // bytes: a hundred times what servers send
constexpr std::size_t piece = 4096;               // bytes a read: nearly every answer in one

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// ---- asking

struct Url {
    std::string_view authority, path;
};

/// Of "http://name:port/path": a fragment is never sent (RFC 9110 section 4.2.5).
Url parts(std::string_view url) {
    url = url.substr(0, url.find('#'));
    const std::size_t begin = std::string_view("http://").size();
    const std::size_t slash = std::min(url.find('/', begin), url.size());
    return {url.substr(begin, slash - begin), slash < url.size() ? url.substr(slash) : "/"};
}

/// A header given replaces the usual one; given without a value, it only takes that away.
void add_headers(std::string& text, const HttpRequest& r, std::string_view host) {
    std::vector<std::string> usual{"Host: " + std::string(host), "User-Agent: fairway/" FAIRWAY_VERSION,
                                   "Accept: */*"};
    if (!r.body.empty()) {
        usual.push_back("Content-Length: " + std::to_string(r.body.size()));
        usual.emplace_back("Content-Type: application/x-www-form-urlencoded");
    }
    const auto name = [](std::string_view header) { return header.substr(0, header.find(':')); };
    const auto given = [&](const std::string& u) {
        return std::any_of(r.headers.begin(), r.headers.end(),
                           [&](auto& h) { return same(name(h), name(u)); });
    };
    for (const std::string& u : usual)
        if (!given(u)) text.append(u).append("\r\n");
    for (const std::string& h : r.headers)
        if (h.find_first_not_of(' ', name(h).size() + 1) < h.size()) text.append(h).append("\r\n");
}

std::string text_of(const HttpRequest& r) {
    auto [host, path] = parts(r.url);
    if (host.ends_with(":80")) host.remove_suffix(3); // as users' browsers say it
    std::string text = r.method + ' ';
    text.append(path).append(" HTTP/1.1\r\n");
    add_headers(text, r, host);
    return text.append("\r\n").append(r.body);
}

/// Where a Location leads (RFC 3986 section 5.2; dots are left to the server).
std::string absolute(const std::string& location, const std::string& url) {
    const std::size_t mark = location.find_first_of(":/?#");
    if (mark != location.npos && location[mark] == ':') return location;
    if (location.starts_with("//")) return "http:" + location;
    const auto [authority, path] = parts(url);
    const std::string base = "http://" + std::string(authority);
    if (location.starts_with('/')) return base + location;
    const std::string_view file = path.substr(0, path.find('?'));
    if (location.starts_with('?')) return base + std::string(file) + location;
    return base + std::string(file.substr(0, file.rfind('/') + 1)) + location;
}

// ---- hearing

/// What the parser finds of one answer; those before the final one (1xx) are passed over.
struct Answering {
    const HttpRequest& request;
    Reason& silence;
    HttpAnswer answer{};
    http_parser parser{};
    std::string header{}; // its name, as far as it has come
    bool in_value = false;
    bool whole = false, lasting = false; // lasting: the connection may be asked again
    bool spoke = false;

    Answering(const HttpRequest& r, Reason& s) : request(r), silence(s) {
        http_parser_init(&parser, HTTP_RESPONSE);
        parser.data = this;
    }
    bool take(const char* data, std::size_t n); ///< nothing: the end. False: there is no more to hear
    void broken(Reason why, std::string text);
};

Answering& of(http_parser* p) { return *static_cast<Answering*>(p->data); }

int on_status(http_parser* p, const char*, std::size_t) noexcept {
    of(p).silence = Reason::timeout_body;
    return 0;
}

int on_header_name(http_parser* p, const char* data, std::size_t n) noexcept {
    Answering& a = of(p);
    if (std::exchange(a.in_value, false)) a.header.clear();
    a.header.append(data, n);
    return 0;
}

int on_header_value(http_parser* p, const char* data, std::size_t n) noexcept {
    Answering& a = of(p);
    a.in_value = true;
    if (same(a.header, "location")) a.answer.location.append(data, n);
    return 0;
}

int on_head(http_parser* p) noexcept {
    Answering& a = of(p);
    if (p->http_major != 1) return -1;
    const int status = p->status_code;
    if (status < 200 && status != 101) {
        a.answer.location.clear();
        return 0;
    }
    a.answer.status = status;
    const Reason verdict = a.request.judge(status);
    a.silence = verdict == Reason::ok ? Reason::timeout_body : verdict;
    return a.request.method == "HEAD" ? 1 : 0; // 1: no body comes, whatever its length is said to be
}

int on_body(http_parser* p, const char* data, std::size_t n) noexcept {
    Answering& a = of(p);
    const std::size_t room = a.request.body_limit - a.answer.body.size();
    a.answer.body.append(data, std::min(n, room));
    a.answer.cut = n > room;
    return a.answer.cut ? -1 : 0;
}

int on_whole(http_parser* p) noexcept {
    Answering& a = of(p);
    if (a.answer.status == 0) return 0;
    a.whole = true;
    a.lasting = http_should_keep_alive(p) != 0;
    http_parser_pause(p, 1);
    return 0;
}

const http_parser_settings& settings() {
    static const http_parser_settings s = [] {
        http_parser_set_max_header_size(header_limit);
        http_parser_settings all;
        http_parser_settings_init(&all);
        all.on_status = &on_status;
        all.on_header_field = &on_header_name;
        all.on_header_value = &on_header_value;
        all.on_headers_complete = &on_head;
        all.on_body = &on_body;
        all.on_message_complete = &on_whole;
        return all;
    }();
    return s;
}

void Answering::broken(Reason why, std::string text) {
    answer.reason = why;
    answer.detail = std::move(text);
}

bool Answering::take(const char* data, std::size_t n) {
    spoke |= n > 0;
    const std::size_t used = http_parser_execute(&parser, &settings(), data, n);
    const auto error = HTTP_PARSER_ERRNO(&parser);
    if (whole || answer.cut) {
        lasting &= whole && used == n;
        return false;
    }
    if (error == HPE_INVALID_EOF_STATE || (error == HPE_OK && n == 0))
        broken(Reason::closed, spoke ? "ended in the middle of its answer" : "ended without an answer");
    else if (error == HPE_HEADER_OVERFLOW) broken(Reason::oversize_body, "more than 64 KiB of headers");
    else if (error != HPE_OK)
        broken(Reason::bad_response, std::string("no HTTP/1: ") + http_errno_description(error));
    return answer.reason == Reason::ok;
}

/// The same for what went wrong with the connection.
void fail(Answering& a, int error) {
    a.broken(reason_of_errno(error, a.request.address), std::strerror(error));
}

Task<bool> send_all(Loop& loop, int fd, Answering& a) {
    const std::string text = text_of(a.request);
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t n = send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL);
        if (n >= 0) done += static_cast<std::size_t>(n);
        else if (errno == EAGAIN) co_await Ready(loop, fd, Loop::writable);
        else if (errno != EINTR) {
            fail(a, errno);
            co_return false;
        }
    }
    co_return true;
}

Task<void> exchange(Loop& loop, int fd, Answering& a) {
    Task<bool> sending = send_all(loop, fd, a);
    const bool sent = co_await sending;
    std::array<char, piece> buffer;
    for (bool more = sent; more;) {
        co_await Ready(loop, fd, Loop::readable);
        const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
        if (n >= 0) more = a.take(buffer.data(), static_cast<std::size_t>(n));
        else if (errno != EAGAIN && errno != EINTR) fail(a, errno), more = false;
    }
    if (a.answer.status != 0 && !a.answer.location.empty())
        a.answer.location = absolute(a.answer.location, a.request.url);
}

} // namespace

bool PlainHttp::speaks(const HttpRequest& r) {
    return r.url.starts_with("http://") && !r.http2 && r.keep.empty();
}

Task<HttpAnswer> PlainHttp::perform(HttpRequest request, Reason& silence) {
    if (std::any_of(request.url.begin(), request.url.end(),
                    [](unsigned char c) { return c <= ' ' || c == 127; })) {
        HttpAnswer none;
        none.reason = Reason::internal;
        none.detail = "a space or a control character in the path";
        co_return none;
    }
    if (Socket kept = request.reuse ? take(request.address) : Socket()) {
        silence = Reason::timeout_first_byte;
        Answering again(request, silence);
        Task<void> asking = exchange(loop_, kept.fd(), again);
        co_await asking;
        if (again.lasting) keep(request.address, std::move(kept));
        if (again.spoke) co_return std::move(again.answer); // else it had been given up meanwhile
    }
    silence = Reason::timeout_connect;
    Task<Connection> connecting = connect(loop_, request.address, request.route);
    Connection c = co_await connecting;
    if (!c.stands()) {
        HttpAnswer none;
        none.reason = c.reason(request.address);
        none.detail = c.text();
        co_return none;
    }
    silence = Reason::timeout_first_byte;
    Answering answering(request, silence);
    Task<void> asking = exchange(loop_, c.socket.fd(), answering);
    co_await asking;
    if (request.reuse && answering.lasting) keep(request.address, std::move(c.socket));
    co_return std::move(answering.answer);
}

void PlainHttp::forget() {
    idle_.clear();
    kept_ = 0;
}

/// One that has neither ended nor said anything unasked.
Socket PlainHttp::take(const SocketAddress& to) {
    const auto known = idle_.find(to);
    if (known == idle_.end()) return {};
    Socket found;
    while (!found && !known->second.empty()) {
        Socket candidate = std::move(known->second.back());
        known->second.pop_back();
        --kept_;
        char octet = 0;
        if (recv(candidate.fd(), &octet, 1, MSG_PEEK) < 0 && errno == EAGAIN) found = std::move(candidate);
    }
    if (known->second.empty()) idle_.erase(known);
    return found;
}

void PlainHttp::keep(const SocketAddress& to, Socket connection) {
    if (kept_ >= limit_) return;
    idle_[to].push_back(std::move(connection));
    ++kept_;
}

} // namespace fairway::probes
