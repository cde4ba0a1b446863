// Tells when the addresses of this machine may have changed (rtnetlink(7)), from a thread of its own.
#pragma once

#include "dns/sockets.hpp"

#include <functional>
#include <string>
#include <thread>

namespace fairway::dns {

class AddressWatch {
  public:
    /// `changed` is called once at the start, so that nothing is missed between a look of the caller's and
    /// this one, and after every change, several of them perhaps at once.
    explicit AddressWatch(std::function<void()> changed);
    ~AddressWatch(); ///< `changed` is not called afterwards

    const std::string& problem() const { return problem_; } ///< why changes go unnoticed, or empty

  private:
    void run();

    std::function<void()> changed_;
    Socket netlink_, stop_;
    std::string problem_;
    std::thread thread_;
};

} // namespace fairway::dns
