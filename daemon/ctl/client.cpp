#include "daemon/ctl/client.hpp"

#include <curl/curl.h>

#include <fstream>

namespace fairway::ctl {

namespace {

std::size_t take(char* data, std::size_t size, std::size_t n, void* to) {
    static_cast<std::string*>(to)->append(data, size * n);
    return size * n;
}

/// A stream as it is followed. libcurl looks at least once a second, and whenever something has come.
struct Following {
    CURL* curl;
    const std::function<bool(bool)>& tick;
    bool news = false;
    std::string refusal{}; ///< what came in place of a stream

    long status() const {
        long code = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
        return code;
    }
    static std::size_t take(char* data, std::size_t size, std::size_t n, void* self) {
        auto& f = *static_cast<Following*>(self);
        if (f.status() == 200) f.news = true;
        else f.refusal.append(data, size * n);
        return size * n;
    }
    static int look(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        auto& f = *static_cast<Following*>(self);
        if (f.status() != 0 && f.status() != 200) return 0; // the reason is on its way
        return !f.tick(std::exchange(f.news, false));
    }
};

/// TLS and the token; what is wrong, or empty.
std::string prepare_remote(CURL* curl, const Way& way) {
    if (!way.url.starts_with("https://"))
        return way.url + " does not begin with https://: a token is a secret";
    std::ifstream in(way.token_file);
    std::string token;
    if (!std::getline(in, token) || token.empty())
        return "no token: --token-file names a file whose first line it is";
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token.c_str());
    if (!way.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, way.ca_file.c_str());
    return {};
}

}

struct Client::Handle {
    CURL* curl = curl_easy_init();
    ~Handle() { curl_easy_cleanup(curl); }
};

Client::Client(Way way) : way_(std::move(way)), handle_(std::make_unique<Handle>()) {}
Client::~Client() = default;

Answer Client::get(const std::string& path, Patience patience) { return ask(path, nullptr, patience); }
Answer Client::post(const std::string& path, const std::string& json, Patience patience) {
    return ask(path, &json, patience);
}

std::string Client::prepare(void* curl, const std::string& path) const {
    std::string why = way_.url.empty() ? "" : prepare_remote(curl, way_);
    if (way_.url.empty()) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, way_.socket.c_str());
    curl_easy_setopt(curl, CURLOPT_URL, ((way_.url.empty() ? "http://fairwayd" : way_.url) + path).c_str());
    return why;
}

std::string Client::follow(const std::string& path, const std::function<bool(bool news)>& tick) {
    const Handle stream; // another than that of ask(), which `tick` may use
    Following following{stream.curl, tick};
    if (std::string why = prepare(stream.curl, path); !why.empty()) return why;
    curl_easy_setopt(stream.curl, CURLOPT_WRITEFUNCTION, &Following::take);
    curl_easy_setopt(stream.curl, CURLOPT_WRITEDATA, &following);
    curl_easy_setopt(stream.curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(stream.curl, CURLOPT_XFERINFOFUNCTION, &Following::look);
    curl_easy_setopt(stream.curl, CURLOPT_XFERINFODATA, &following);
    const CURLcode code = curl_easy_perform(stream.curl);
    if (code == CURLE_ABORTED_BY_CALLBACK) return "";
    if (code != CURLE_OK) return curl_easy_strerror(code);
    if (following.status() == 200) return "";
    const auto body = daemon::JsonValue::parse(following.refusal).value_or(daemon::JsonValue());
    const std::string why = body.text("error");
    return why.empty() ? "unexpected answer, HTTP " + std::to_string(following.status()) : why;
}

Answer Client::ask(const std::string& path, const std::string* json, Patience patience) {
    CURL* curl = handle_->curl;
    Answer answer;
    curl_easy_reset(curl);
    if (std::string why = prepare(curl, path); !why.empty()) {
        answer.text = std::move(why);
        answer.misdirected = true;
        return answer;
    }
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(patience.count()));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.text);
    if (json) curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, json->c_str());
    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        answer.text = curl_easy_strerror(code);
        return answer;
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer.reached = true;
    answer.status = static_cast<int>(status);
    answer.body = daemon::JsonValue::parse(answer.text).value_or(daemon::JsonValue());
    return answer;
}

std::string Client::escape(const std::string& text) {
    char* escaped = curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size()));
    std::string result = escaped ? escaped : "";
    curl_free(escaped);
    return result;
}

} // namespace fairway::ctl
