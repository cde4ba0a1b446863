#include "dns/tcp_loop.hpp"

#include <ctime>

namespace fairway::dns {
namespace {

// No query is longer, with room for padding (RFC 8467) and options to come.
constexpr std::size_t max_query = 4096;
// Answers waiting for one slow reader, a message or so; beyond it nothing more is read from that client.
constexpr std::size_t backlog = 64 * 1024;
// The same for all of them: beyond it who cannot take its answers is dropped. Some hundred such readers.
constexpr std::size_t most_waiting = 32 << 20;

} // namespace

// ------------------------------------------------------------ reading and answering

void TcpFront::Loop::read(Connection& c) {
    if (c.reading || c.ended || c.closing) return;
    c.reading = true;
    const auto allocate = [](uv_handle_t* h, std::size_t, uv_buf_t* buf) {
        auto& b = static_cast<Connection*>(h->data)->loop->read_buffer;
        *buf = uv_buf_init(reinterpret_cast<char*>(b.data()), static_cast<unsigned>(b.size()));
    };
    uv_read_start(stream(c), allocate, [](uv_stream_t* s, ssize_t n, const uv_buf_t* buf) {
        auto& from = *static_cast<Connection*>(s->data);
        const auto* const bytes = reinterpret_cast<std::uint8_t*>(buf->base);
        if (n > 0) from.loop->answer_all(from, {bytes, static_cast<std::size_t>(n)});
        else if (n < 0) from.loop->end(from, n == UV_EOF);
    });
}

// The client sends no more. What it has been promised it still gets.
void TcpFront::Loop::end(Connection& c, bool orderly) {
    c.ended = true;
    pause(c);
    if (!orderly || c.waiting == 0) close(c);
}

void TcpFront::Loop::pause(Connection& c) {
    uv_read_stop(stream(c));
    c.reading = false;
}

// Answers each whole query in what is left of earlier reads and in `bytes` (RFC 7766 section 6.2.1.1:
// they may come back to back), as long as the client takes the answers; keeps the rest.
void TcpFront::Loop::answer_all(Connection& c, Bytes bytes) {
    handover.refresh(snapshot);
    unix_time = static_cast<std::uint32_t>(time(nullptr));
    if (!c.partial.empty()) {
        c.partial.insert(c.partial.end(), bytes.begin(), bytes.end());
        bytes = c.partial;
    }
    bool junk = false;
    while (!c.closing && c.waiting <= backlog && bytes.size() >= prefix_size) {
        const std::size_t length = get16(bytes.data());
        junk = length > max_query;
        if (junk || bytes.size() < prefix_size + length) break;
        junk = !answer_one(c, bytes.subspan(prefix_size, length));
        if (junk) break;
        bytes = bytes.subspan(prefix_size + length);
        if (out.size() - used < prefix_size + max_message) write(c);
    }
    if (!c.closing && used) write(c);
    used = 0;
    if (c.closing) return;
    if (junk) return end_junk(c);
    c.partial =
        bytes.empty() ? std::vector<std::uint8_t>() : std::vector<std::uint8_t>(bytes.begin(), bytes.end());
    if (c.waiting > backlog) pause(c);
}

// False: it is no query.
bool TcpFront::Loop::answer_one(Connection& c, Bytes message) {
    Query query;
    Reply reply;
    const auto idle = static_cast<std::uint16_t>(std::min<long>(limits().idle / 100ms, 0xffff));
    const Client client{*c.peer, Client::Transport::tcp, idle, unix_time};
    const std::span<std::uint8_t> room(&out[used + prefix_size], max_message);
    if (read_query(message, query)) reply = answer(query, message, *snapshot, client, random, room);
    counters.queries.add(1);
    counters.count(reply);
    if (reply.size == 0) return false;
    put16(&out[used], reply.size);
    used += prefix_size + reply.size;
    touch(c);
    return true;
}

// Whoever speaks no DNS need not go on; what it asked before that it still gets.
void TcpFront::Loop::end_junk(Connection& c) {
    counters.closed[static_cast<std::size_t>(TcpEnd::junk)].add(1);
    c.partial.clear();
    end(c, true);
}

// ------------------------------------------------------------ writing

// All of `out`: at once as far as the kernel takes it, the rest when it can.
void TcpFront::Loop::write(Connection& c) {
    std::size_t sent = 0;
    if (c.waiting == 0) {
        const uv_buf_t buf = uv_buf_init(reinterpret_cast<char*>(out.data()), static_cast<unsigned>(used));
        const int n = uv_try_write(stream(c), &buf, 1);
        if (n < 0 && n != UV_EAGAIN) return close(c);
        sent = n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    if (sent < used) write_later(c, {&out[sent], used - sent});
    used = 0;
}

void TcpFront::Loop::write_later(Connection& c, Bytes bytes) {
    auto write = std::make_unique<Write>();
    write->connection = &c;
    write->bytes.assign(bytes.begin(), bytes.end());
    write->request.data = write.get();
    const uv_buf_t buf =
        uv_buf_init(reinterpret_cast<char*>(write->bytes.data()), static_cast<unsigned>(bytes.size()));
    const auto done = [](uv_write_t* request, int status) {
        const std::unique_ptr<Write> owner(static_cast<Write*>(request->data));
        owner->connection->loop->written(*owner->connection, owner->bytes.size(), status);
    };
    if (waiting + bytes.size() > most_waiting) return close_by(TcpEnd::slow, c);
    if (uv_write(&write->request, stream(c), &buf, 1, done)) return close(c);
    write.release();
    c.waiting += bytes.size();
    waiting += bytes.size();
}

void TcpFront::Loop::written(Connection& c, std::size_t bytes, int status) {
    c.waiting -= bytes;
    waiting -= bytes;
    if (c.closing) return;
    if (status) return close(c);
    touch(c);
    if (c.waiting == 0) answer_all(c, {});
    if (c.waiting > 0 || c.closing) return;
    if (c.ended) close(c);
    else read(c);
}

} // namespace fairway::dns
