#include "daemon/post/courier.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <fstream>

namespace fairway::daemon {

using policies::Severity;

namespace {

std::size_t discard(char*, std::size_t size, std::size_t n, void*) { return size * n; }

/// Called by libcurl at least once a second: a daemon that ends, or a target that is no longer wanted, waits
/// no longer.
int give_up(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::stop_token*>(stop)->stop_requested();
}

std::string host_of(const std::string& url) {
    const auto begin = url.find("://") + 3;
    return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}

struct Headers {
    curl_slist* list = nullptr;
    Headers() = default;
    Headers(const Headers&) = delete;
    ~Headers() { curl_slist_free_all(list); }
    void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

}

struct Courier::Curl {
    CURL* easy = curl_easy_init();
    ~Curl() { curl_easy_cleanup(easy); }
};

Courier::Courier(std::string via, AlertTarget target, const Log& log)
    : via_(std::move(via)),
      host_(host_of(target.url)),
      target_(std::move(target)),
      log_(log),
      curl_(std::make_unique<Curl>()) {}
Courier::~Courier() = default;

bool Courier::send(const std::string& path, const std::string& body, const std::string& key,
                   const std::stop_token& stop) {
    std::string url = target_.url;
    if (!path.empty() && url.ends_with('/')) url.pop_back();
    const std::string why = attempt(url + path, body, key, stop);
    if (why.empty()) {
        ++sent_;
        if (std::exchange(failures_, 0))
            log_.write(Severity::info, "notifications-sent", {{"via", via_}, {"host", host_}});
        return true;
    }
    if (stop.stop_requested()) return false;
    ++failed_;
    if (++failures_ == 1)
        log_.write(Severity::warning, "notifications-fail", {{"via", via_}, {"host", host_}, {"why", why}});
    return false;
}

void Courier::dropped(std::size_t messages) {
    dropped_ += messages;
    log_.write(Severity::warning, "notifications-dropped",
               {{"via", via_}, {"host", host_}, {"messages", std::to_string(messages)}});
}

Duration Courier::pause() const {
    if (!failures_) return {};
    return std::min<Duration>(longest_pause, first_pause * (1 << std::min(failures_ - 1, 10U)));
}

NotificationCounts Courier::counts() const { return {via_, host_, sent_, failed_, dropped_}; }

std::string Courier::attempt(const std::string& url, const std::string& body, const std::string& key,
                             const std::stop_token& stop) {
    CURL* curl = curl_->easy;
    if (!curl) return "libcurl cannot be started";
    curl_easy_reset(curl);
    Headers headers;
    headers.add("Content-Type: application/json");
    if (!key.empty()) headers.add("Idempotency-Key: \"" + key + "\"");
    if (!target_.token_file.empty()) { // read each time: a new one needs no reload
        std::ifstream in(target_.token_file);
        std::string token;
        if (!std::getline(in, token) || token.empty()) return target_.token_file + ": no token in it";
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token.c_str());
    }
    if (!target_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, target_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "fairway/" FAIRWAY_VERSION);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(patience / 1s));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &discard);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &give_up);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) return curl_easy_strerror(code);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300 ? "" : "HTTP " + std::to_string(status);
}

} // namespace fairway::daemon
