// What the files of a configuration say, as lines that can be compared (config/difference.hpp).
#pragma once

#include "config/difference.hpp"
#include "config/load/node.hpp"

namespace fairway::load {

/// `include` itself is left out: where a key is written makes no difference.
Written written_in(const Node& root);

} // namespace fairway::load
