#include "probes/checks/exchange.hpp"

namespace fairway::probes {

namespace {
constexpr std::size_t window = 65536; // bytes; a greeting or a reply is some hundred
}

Task<Finding> talk(const Exchange& exchange, Stream& stream, std::string stands, Reason& silence) {
    if (!exchange.send.empty()) {
        silence = Reason::timeout_first_byte;
        Task<Heard> writing = stream.write(exchange.send);
        const Heard written = co_await writing;
        if (written.reason != Reason::ok) co_return because(written.reason, written.detail);
    }
    if (exchange.expect.empty()) co_return pass(std::move(stands));

    silence = Reason::timeout_first_byte;
    std::string came;
    while (came.find(exchange.expect) == std::string::npos) {
        Task<Heard> reading = stream.read();
        const Heard more = co_await reading;
        if (more.reason != Reason::ok) co_return because(more.reason, more.detail);
        if (more.text.empty() && came.empty()) co_return because(Reason::closed, "ended without a word");
        if (more.text.empty()) co_return because(Reason::body_mismatch, "it said: " + came);
        silence = Reason::timeout_body;
        came += more.text;
        if (came.size() > window) co_return because(Reason::oversize_body, "not in the first 64 KiB");
    }
    co_return pass("the expected came");
}

} // namespace fairway::probes
