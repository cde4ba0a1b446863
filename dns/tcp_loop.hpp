// The inside of a TcpFront: its loop, the connections on it, and what they have in hand. All of it belongs to
// the front's thread, but for post().
#pragma once

#include "dns/tcp_front.hpp"

#include <uv.h>

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>

namespace fairway::dns {

struct TcpFront::Loop {
    static constexpr std::size_t prefix_size = 2; // RFC 1035 section 4.2.2
    // A connection backlog in the kernel that outlasts a loop held up by a batch of large answers.
    static constexpr int listen_backlog = 1024;

    struct Connection;
    using Connections = std::list<std::unique_ptr<Connection>>; // the one quiet longest comes first

    struct Connection {
        Loop* loop;
        Connections::iterator place;
        uv_tcp_t handle;
        std::optional<IpAddress> peer;     // once it is known, and counted
        std::uint64_t opened, active;      // loop time, ms
        std::vector<std::uint8_t> partial; // the start of a query whose end has not come yet
        std::size_t waiting = 0;           // octets of answers the kernel has not taken
        bool reading = false, ended = false, closing = false;
    };

    // Answers on their way to a client that takes them slowly.
    struct Write {
        uv_write_t request;
        Connection* connection;
        std::vector<std::uint8_t> bytes;
    };

    struct Listener {
        uv_tcp_t handle;
        SocketAddress address;
        std::list<Listener>::iterator place;
    };

    Loop(Handover& handover, std::uint64_t seed);
    ~Loop() { uv_loop_close(&uv); }

    void post(std::function<void()> job); // from other threads
    void post_and_wait(std::function<void()> job);
    void do_jobs();

    // tcp_connections.cpp: who may be there, and how long.
    void listen(Socket socket);
    void stop_listening(const SocketAddress& address);
    std::vector<Socket> sockets() const;
    void accept(uv_stream_t* listener);
    static bool last_descriptors(const Connection& c); // it has taken one of those
    bool learn_peer(Connection& c);
    void forget_peer(Connection& c);
    void touch(Connection& c);
    void enforce_limits();
    void close_quietest();
    void close_by(TcpEnd why, Connection& c);
    void close(Connection& c);
    void stop();

    // tcp_answers.cpp: what they ask and get.
    void read(Connection& c);
    void end(Connection& c, bool orderly);
    void pause(Connection& c);
    void answer_all(Connection& c, Bytes bytes);
    bool answer_one(Connection& c, Bytes message);
    void end_junk(Connection& c);
    void write(Connection& c);
    void write_later(Connection& c, Bytes bytes);
    void written(Connection& c, std::size_t bytes, int status);

    static uv_stream_t* stream(Connection& c) { return reinterpret_cast<uv_stream_t*>(&c.handle); }

    // Why they are what they are, unless configured. 4,000 connections: were all of them bad, each with half
    // a query here and a full buffer in the kernel, that is some half a gigabyte; a hundred times as many as
    // resolvers keep open, who come for what was truncated. 100 of one client: a farm of resolvers behind one
    // address; and it takes 40 addresses to fill the front. 10 s idle: "a few seconds" (RFC 7766 section
    // 6.2.3), and as long as a client waits for its own answer. 5 min in all: who means well comes again.
    const TcpSettings& limits() const { return snapshot->fixed->settings.tcp; }

    Handover& handover;
    Random random;
    std::uint32_t unix_time = 0;
    SnapshotPtr snapshot;
    Counters counters;
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t sweep;
    std::list<Listener> listeners;
    std::mutex mutex;
    std::vector<std::function<void()>> jobs; // under the mutex
    Connections connections;
    std::size_t live = 0;                  // connections not being closed
    std::size_t bearable = SIZE_MAX;       // for so many there were descriptors, when they last ran short
    std::map<IpAddress, unsigned> clients; // and whose they are
    std::size_t waiting = 0;               // octets of answers, over all connections
    std::vector<std::uint8_t> read_buffer;
    std::vector<std::uint8_t> out; // answers, as they will be sent; there is always room for one more
    std::size_t used = 0;          // octets of `out`
};

} // namespace fairway::dns
