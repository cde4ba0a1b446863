// Which class a client's address belongs to: networks flattened to sorted ranges, both families.
//
// Built with the snapshot, read by every worker. The longest prefix wins where networks are nested.
#pragma once

#include "config/model.hpp"
#include "dns/random.hpp"

#include <vector>

namespace fairway::dns {

class NetworkTable {
  public:
    struct Found {
        ClientClassIndex client_class;
        /// The shortest prefix around the address in which every address has this class (RFC 7871's scope).
        std::uint8_t scope;
    };

    explicit NetworkTable(const std::vector<Clients::Network>& networks);
    Found find(const IpAddress& address) const noexcept;
    std::size_t ranges() const { return v4_.starts.size() + v6_.starts.size(); }

    struct Range {
        ClientClassIndex client_class = 0;
        std::uint8_t scope = 0; ///< of every address in it; `varies` where they differ in that
        static constexpr std::uint8_t varies = 255;
    };
    /// Range i begins at starts[i] and ends before starts[i + 1]; neighbours differ in class.
    template<typename Key> struct Ranges {
        std::vector<Key> starts{0};
        std::vector<Range> ranges{{}};
        /// By the upper 16 bits of an address: the range around the first such address. Empty where the
        /// ranges are few.
        std::vector<std::uint32_t> index;
    };

  private:
    Ranges<std::uint32_t> v4_;
    Ranges<uint128> v6_;
};

} // namespace fairway::dns
