// Giving back memory that only the start, or a reload, needed.
#pragma once

namespace fairway::daemon {

/// What the allocator keeps for later, and pages of programs and libraries, which come back from the page
/// cache when they are run again: most code runs once, at the start. Takes some milliseconds; any thread.
void give_back_memory();

/// From now on whatever is larger than a name table of some thousand names goes back to the system when it is
/// freed: the allocator would else keep room for the largest it has seen. At the start.
void give_back_large_blocks();

} // namespace fairway::daemon
