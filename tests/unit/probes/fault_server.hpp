// A TCP server on loopback that misbehaves as told, and certificates made on the spot.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fairway::testing {

/// One accepted connection, plain or TLS. Reads wait for at most two seconds.
class Peer {
  public:
    explicit Peer(int fd) : fd_(fd) {}
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();

    /// With the file of an authority, a certificate of the other side's is asked for and required. `http2`:
    /// agreed to by ALPN.
    bool start_tls(const struct Certificate& certificate, const std::string& client_ca = {},
                   bool http2 = false);
    std::string read_some();
    std::string read(std::size_t bytes); ///< so many, and nothing of what follows; fewer if it ends
    std::string read_until(std::string_view mark); ///< inclusive, with what follows in the same segment
    void write(std::string_view text);
    std::size_t flood(std::string_view piece,
                      std::size_t bytes); ///< writes it again and again; how much was taken
    void drip(std::string_view text);     ///< a byte a tenth of a second, until the other side goes
    void half_close();                    ///< says no more, and goes on listening
    void finish();                        ///< closes in order
    void reset();                         ///< closes with a reset
    std::string address() const;          ///< of the other side
    bool resumed() const;                 ///< the TLS session was an earlier one
    bool ended(); ///< waits for the other side: true if it ended in order, false if by a reset

  private:
    int fd_;
    std::shared_ptr<void> tls_;
};

/// Accepts in a thread; `serve` runs there for each connection. What it does not close stays open until the
/// end.
class FaultServer {
  public:
    using Serve = std::function<void(Peer&)>;
    explicit FaultServer(Serve serve);
    FaultServer(const FaultServer&) = delete;
    FaultServer& operator=(const FaultServer&) = delete;
    ~FaultServer();
    std::uint16_t port() const { return port_; }
    int accepted() const { return accepted_; }

  private:
    void run();
    Serve serve_;
    int listener_;
    std::uint16_t port_;
    std::atomic<int> accepted_{0};
    std::vector<std::unique_ptr<Peer>> peers_; // of the thread
    std::thread thread_;
};

/// A port of loopback on which nobody listens, or one whose queue is full so that it never answers.
class DeadPort {
  public:
    enum class Kind { refusing, silent };
    explicit DeadPort(Kind kind);
    DeadPort(const DeadPort&) = delete;
    DeadPort& operator=(const DeadPort&) = delete;
    ~DeadPort();
    std::uint16_t port() const { return port_; }

  private:
    std::vector<int> fds_;
    std::uint16_t port_ = 0;
};

/// Answers datagrams on a port of loopback: what `serve` makes of each, if anything.
class DatagramServer {
  public:
    using Serve = std::function<std::string(const std::string& request)>; ///< empty: no answer
    explicit DatagramServer(Serve serve, std::uint16_t port = 0);
    DatagramServer(const DatagramServer&) = delete;
    DatagramServer& operator=(const DatagramServer&) = delete;
    ~DatagramServer();
    std::uint16_t port() const { return port_; }

  private:
    Serve serve_;
    int fd_;
    std::uint16_t port_;
    std::thread thread_;
};

struct Certificate {
    std::string cert_pem;
    std::string key_pem;
};

/// An authority of the test's own; its certificate lies in a file while this lives.
class Authority {
  public:
    Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;
    ~Authority();
    const std::string& file() const { return file_; }
    /// For the DNS name, valid from an hour ago for `seconds` from now (negative: expired).
    Certificate issue(const std::string& name, long seconds) const;
    Certificate self_signed(const std::string& name) const;

  private:
    std::shared_ptr<void> key_, cert_;
    std::string file_;
};

} // namespace fairway::testing
