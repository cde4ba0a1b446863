// Are descriptors running out? Looked at now and then, at the price of three system calls.
#pragma once

#include <string>

namespace fairway::daemon {

/// A sentence while nine tenths of them are in use, or all; else empty. The kernel gives the lowest number
/// that is free: a high one says that all below it are in use.
std::string descriptors_short();

} // namespace fairway::daemon
