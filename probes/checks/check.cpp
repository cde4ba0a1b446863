#include "probes/checks/check.hpp"

#include "probes/checks/tools.hpp"

namespace fairway::probes {

namespace {
constexpr std::size_t detail_limit = 200; // bytes; Observation's bound
}

std::string printable(std::string_view text) {
    std::string out(text.substr(0, detail_limit));
    for (char& c : out) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet < 0x20 || octet == 0x7f) c = ' ';
        if (octet > 0x7f) c = '?'; // it may be any encoding, or none, and is cut anywhere
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

bool is_own_fault(Reason r) {
    return r == Reason::resolve_failure || r == Reason::no_route || r == Reason::local_limit ||
           r == Reason::no_data || r == Reason::internal;
}

Finding pass(std::string detail, Facts facts) {
    return {Outcome::pass, Reason::ok, printable(detail), std::move(facts)};
}

Finding because(Reason reason, std::string detail) {
    return {is_own_fault(reason) ? Outcome::unknown : Outcome::fail, reason, printable(detail), {}};
}

Finding beside_certificate(Finding found, std::optional<WallTime> ends, const TlsSettings& tls, Loop& loop) {
    if (found.outcome != Outcome::pass || !ends) return found;
    found.facts.certificate_ends = ends;
    const Duration left = *ends - loop.now().wall;
    if (left >= tls.expiry_warning) return found;
    found.reason = Reason::expiring_certificate;
    found.detail = printable(found.detail + ", the certificate ends " +
                             (left > Duration::zero() ? "in " + brief(left) : to_string(*ends)));
    return found;
}

Loop& Look::loop() const { return tools.loop; }

Route Look::route() const { return {source(), spec.check->proxy}; }

std::optional<IpAddress> Look::source() const { return source_for(address.ip, spec.check->source); }

Task<void> hold_connection(Look at) {
    return hold_open(at.loop(), at.address, at.route(), at.spec.check->timing.timeout);
}

} // namespace fairway::probes
