// From a configuration file to a Model. Called by whoever starts or reloads; may block on files, keeps
// nothing.
#pragma once

#include "config/diagnostics.hpp"
#include "config/difference.hpp"
#include "config/model.hpp"

#include <filesystem>

namespace fairway::load {

/// The whole model, or null if there is any error. Every problem is reported, in the order of the files'
/// lines. Keys are described by keys() in config/load/schema.hpp. `written` gets what the files say.
std::shared_ptr<Model> load(const std::filesystem::path& file, Diagnostics& problems,
                            Written* written = nullptr);

} // namespace fairway::load
