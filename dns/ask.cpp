#include "dns/ask.hpp"

#include "dns/message.hpp"
#include "dns/wire.hpp"

namespace fairway::dns {

std::vector<std::uint8_t> ask(const Snapshot& snapshot, const Name& name, std::uint16_t type,
                              const IpAddress& client, Random& random) {
    std::vector<std::uint8_t> query(header_size);
    put16(query.data() + 4, 1); // one question
    query.insert(query.end(), name.wire().begin(), name.wire().end());
    query.resize(query.size() + 4);
    put16(query.data() + query.size() - 4, type);
    put16(query.data() + query.size() - 2, class_in);
    std::vector<std::uint8_t> reply(65535); // the longest over TCP
    const Client asker{.address = client, .transport = Client::Transport::tcp};
    reply.resize(answer(query, snapshot, asker, random, reply));
    return reply;
}

} // namespace fairway::dns
