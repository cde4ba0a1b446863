#include "daemon/ctl/client.hpp"

#include <curl/curl.h>

namespace fairway::ctl {

namespace {

std::size_t take(char* data, std::size_t size, std::size_t n, void* to) {
    static_cast<std::string*>(to)->append(data, size * n);
    return size * n;
}

}

struct Client::Handle {
    CURL* curl = curl_easy_init();
    ~Handle() { curl_easy_cleanup(curl); }
};

Client::Client(std::string socket) : socket_(std::move(socket)), handle_(std::make_unique<Handle>()) {}
Client::~Client() = default;

Answer Client::get(const std::string& path, Patience patience) { return ask(path, nullptr, patience); }
Answer Client::post(const std::string& path, const std::string& json, Patience patience) {
    return ask(path, &json, patience);
}

Answer Client::ask(const std::string& path, const std::string* json, Patience patience) {
    CURL* curl = handle_->curl;
    Answer answer;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
    curl_easy_setopt(curl, CURLOPT_URL, ("http://fairwayd" + path).c_str());
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
