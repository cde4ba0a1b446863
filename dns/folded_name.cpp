#include "dns/folded_name.hpp"

namespace fairway::dns {

void FoldedName::assign(Bytes wire) noexcept {
    length = static_cast<std::uint8_t>(wire.size());
    std::memcpy(bytes, wire.data(), wire.size());
    finish();
}

unsigned FoldedName::labels() const noexcept {
    unsigned n = 0;
    for (std::size_t i = 0; bytes[i]; i += bytes[i] + 1u) ++n;
    return n;
}

bool FoldedName::expand(Bytes message, std::size_t at) noexcept {
    std::size_t out = 0, ceiling = at;
    while (at < message.size()) {
        const std::size_t n = message[at];
        if (n > max_label) { // a pointer, which may only lead backwards: so there is no loop
            if (n < 0xc0 || at + 1 >= message.size()) return false;
            at = get16(&message[at]) & max_pointer;
            if (at >= ceiling) return false;
            ceiling = at;
            continue;
        }
        if (out + n + 1 > max_name || at + n >= message.size()) return false;
        std::memcpy(bytes + out, &message[at], n + 1);
        out += n + 1;
        at += n + 1;
        if (n == 0) {
            length = static_cast<std::uint8_t>(out);
            finish();
            return true;
        }
    }
    return false;
}

std::size_t name_length(Bytes wire) noexcept {
    for (std::size_t i = 0; i < wire.size() && i < max_name; i += wire[i] + 1u) {
        if (wire[i] > max_label) return 0;
        if (wire[i] == 0) return i + 1;
    }
    return 0;
}

} // namespace fairway::dns
