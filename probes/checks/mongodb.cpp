// mongodb: `hello`, which every server answers to anybody, by OP_MSG (manual:
// packaging/recipes/mongodb.yaml).
//
// Servers since 3.6.21, 4.0.21, 4.2.10 and 4.4.2 know it. One request, one answer, no driver: what is read is
// bounded, and nothing is asked that would want a login.
#include "probes/checks/api.hpp"
#include "probes/checks/opening.hpp"
#include "probes/checks/tools.hpp"
#include "probes/glue/bson.hpp"

#include <algorithm>

namespace fairway::probes {

namespace {

constexpr std::uint32_t op_msg = 2013, request_id = 1;
constexpr std::size_t header = 16, before_document = header + 5; // flags, and the kind of the one section
constexpr std::size_t longest = 65536; // bytes; hello's answer names fifty members at most, in some KB

std::string hello() {
    std::string elements("\x10hello\0\x01\0\0\0", 11); // an int32
    elements += std::string("\x02$db\0\x06\0\0\0admin\0", 15);
    const std::string document =
        written_u32(static_cast<std::uint32_t>(elements.size() + 5)) + elements + std::string(1, '\0');
    const std::string body = written_u32(0) + std::string(1, '\0') + document;
    return written_u32(static_cast<std::uint32_t>(header + body.size())) + written_u32(request_id) +
           written_u32(0) + written_u32(op_msg) + body;
}

constexpr std::size_t largest = 48'000'000; // maxMessageSizeBytes

/// The length in front of what comes; nothing before there is one, 0 for one that cannot be meant.
std::optional<std::size_t> announced(std::string_view came) {
    if (came.size() < 4) return std::nullopt;
    const std::size_t n = read_u32(came);
    return n > before_document && n <= largest ? n : 0;
}

/// The document in a whole answer.
std::optional<Bson> document_in(std::string_view came) {
    const bool ours = read_u32(came.substr(8)) == request_id && read_u32(came.substr(12)) == op_msg;
    const bool checksummed = read_u32(came.substr(header)) & 1;
    if (!ours || came[before_document - 1] != 0) return std::nullopt;
    const std::size_t after = checksummed ? 4 : 0;
    if (came.size() < before_document + after) return std::nullopt;
    return Bson::parse(came.substr(before_document, came.size() - before_document - after));
}

/// The term is in the last operation's time, and on a primary in its election's id, which is newer.
std::optional<std::uint64_t> term_of(const Bson& b) {
    std::int64_t term = b.number("lastWrite.opTime.t").value_or(-1);
    if (const auto id = b.object_id("electionId")) {
        std::uint64_t n = 0; // big-endian, after four bytes that are always the same
        for (const char c : id->substr(4)) n = n << 8 | static_cast<unsigned char>(c);
        if (n < 1u << 31)
            term = std::max(term, static_cast<std::int64_t>(n)); // else not of protocol version 1
    }
    return term >= 0 ? std::optional(static_cast<std::uint64_t>(term)) : std::nullopt;
}

Finding judge(const Bson& b) {
    if (b.number("ok") != 1) return because(Reason::bad_response, b.text("errmsg").value_or("not ok"));
    if (b.text("msg") == "isdbgrid") return pass("mongos"); // a router has no role of its own
    Facts f;
    f.system = b.text("setName").value_or("");
    const bool primary = b.flag("isWritablePrimary").value_or(false);
    f.read_only = !primary || b.flag("readOnly").value_or(false);
    if (f.system.empty()) { // alone
        if (!b.flag("isWritablePrimary")) return because(Reason::bad_response, "not an answer to hello");
        f.role = Role::primary;
        return pass("a single server", f);
    }
    f.epoch = term_of(b);
    if (const auto last = b.number("lastWrite.lastWriteDate"); last && *last > 0)
        f.position = static_cast<std::uint64_t>(*last); // ms, to the second
    f.quorum = b.text("primary").has_value();
    if (b.flag("arbiterOnly").value_or(false)) return because(Reason::role, "an arbiter holds no data", f);
    if (!primary && !b.flag("secondary").value_or(false))
        return because(Reason::starting,
                       "neither primary nor secondary: starting, recovering or rolling back", f);
    f.role = primary ? Role::primary : Role::standby;
    if (!*f.quorum) return degraded(Reason::no_quorum, "it knows no primary", f);
    return pass(primary ? "primary" : "secondary", f);
}

} // namespace

Task<Finding> look(const MongodbCheck& check, Look at) {
    Task<Opened> opening = open_stream(at, check.tls ? &check.tls_settings : nullptr, check.sni);
    Opened opened = co_await opening;
    if (!opened.stream) co_return std::move(opened.problem);
    Stream& stream = *opened.stream;
    Task<Heard> saying = say(stream, at, hello());
    const Heard said = co_await saying;
    if (said.reason != Reason::ok) co_return because(said.reason, said.detail);

    std::string came;
    while (came.size() < announced(came).value_or(came.size() + 1)) {
        Task<Heard> reading = stream.read();
        const Heard more = co_await reading;
        if (more.reason != Reason::ok) co_return because(more.reason, more.detail);
        if (more.text.empty()) co_return because(Reason::closed, "ended before its answer did");
        at.silence = Reason::timeout_body;
        came += more.text;
        const auto whole = announced(came);
        if (whole == 0u) co_return because(Reason::bad_response, "not the protocol of MongoDB");
        if (whole > longest) co_return because(Reason::oversize_body, "an answer of more than 64 KiB");
    }
    const std::optional<Bson> document = came.size() == announced(came) ? document_in(came) : std::nullopt;
    if (!document) co_return because(Reason::bad_response, "not an answer to hello");
    Finding found = judge(*document);
    found = beside_certificate(std::move(found), stream.certificate_ends(), check.tls_settings, at.loop());
    at.tools.closing.spawn(Stream::close(std::move(stream)));
    co_return found;
}

} // namespace fairway::probes
