// Reads one YAML document into our tree. yaml-cpp is known to yaml.cpp alone.
#pragma once

#include "config/load/node.hpp"

#include <optional>

namespace fairway::load {

/// The tree of `file`; nothing if it cannot be read (reported where it is named) or is not YAML. Duplicate
/// keys, keys that are not plain words and merge keys (`<<`) are reported here, because they are lost once a
/// mapping is looked up by key.
std::optional<Node> read_yaml(const std::string& file, const Place& named_by, Diagnostics& problems);

} // namespace fairway::load
