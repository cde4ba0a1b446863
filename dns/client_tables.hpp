// Which choice each class of clients gets: tables that may be large, and that many services have in common,
// so equal ones are kept once.
//
// Belongs to whoever makes snapshots; what it has given out is immutable and lives as long as it is used.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace fairway::dns {

using ClientTable = std::vector<std::uint16_t>; ///< choice by client class
using ClientTablePtr = std::shared_ptr<const ClientTable>;

class ClientTables {
  public:
    ClientTablePtr share(ClientTable table);
    std::size_t known() const { return known_.size(); } ///< some of them perhaps no longer used

  private:
    void forget_unused();

    std::unordered_multimap<std::size_t, std::weak_ptr<const ClientTable>> known_; // by hash
    std::size_t forget_at_ = 64;
};

} // namespace fairway::dns
