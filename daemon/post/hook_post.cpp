#include "daemon/hook_child.hpp"

#include <curl/curl.h>

namespace fairway::daemon {

namespace {

/// What the other side answers is not looked at; its status says all.
std::size_t discard(char*, std::size_t size, std::size_t n, void*) { return size * n; }

std::string perform(CURL* curl, const std::string& url, const std::string& body,
                    std::chrono::milliseconds timeout) {
    curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "fairway/" FAIRWAY_VERSION);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &discard);
    const CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) return curl_easy_strerror(code);
    return status >= 200 && status < 300 ? "" : "HTTP " + std::to_string(status);
}

}

std::string post_json(const std::string& url, const std::string& body, std::chrono::milliseconds timeout) {
    CURL* curl = curl_easy_init();
    if (!curl) return "libcurl cannot be started";
    std::string error = perform(curl, url, body, timeout);
    curl_easy_cleanup(curl);
    return error;
}

} // namespace fairway::daemon
