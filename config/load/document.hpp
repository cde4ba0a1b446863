// A configuration file with everything it includes, merged into one tree.
#pragma once

#include "config/load/node.hpp"

#include <optional>

namespace fairway::load {

/// Reads `file` and what its `include` globs name, which may include further. The mappings of the first level
/// are merged key by key; the same key twice is an error that names both places. Bounded in depth and in
/// files.
std::optional<Node> read_document(const std::string& file, Diagnostics& problems);

} // namespace fairway::load
