#include "probes/glue/digest.hpp"

#include <openssl/evp.h>

#include <array>

namespace fairway::probes {

namespace {

std::string digest(const EVP_MD* kind, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), octets.data(), &size, kind, nullptr) != 1) return {};
    return {reinterpret_cast<const char*>(octets.data()), size};
}

} // namespace

std::string sha1(std::string_view text) { return digest(EVP_sha1(), text); }
std::string sha256(std::string_view text) { return digest(EVP_sha256(), text); }

} // namespace fairway::probes
