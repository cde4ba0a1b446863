// HTML as text: everything that was not written here goes through escape().
#pragma once

#include "config/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fairway::daemon::page {

/// Text that can become neither markup nor part of an attribute; what is no UTF-8, or a control character, is
/// replaced.
std::string escape(std::string_view text);

/// <a href="/service/NAME">NAME</a>; `to` is "service" or "datacenter". Nothing for no name.
std::string link(std::string_view to, std::string_view name);

/// How good or bad a word is; also its colour and its sign, for those who see no colours.
enum class Mood { idle, good, warn, bad };
std::string state(Mood mood, std::string_view word);

/// <time>: as long ago as people say it.
std::string ago(WallTime then, WallTime now);

/// A share of answers, 0 to 1, as a bar and a number.
std::string share(double part);

/// A table, or what to say where it has no rows. Cells are HTML; the first of each row is its head.
struct Table {
    std::string caption; ///< for those who do not see it
    std::vector<std::string> head;
    std::vector<std::vector<std::string>> rows;
    std::string to_string(std::string_view if_empty) const;
};

/// <section>; `id` is replaced live.
std::string section(std::string_view id, std::string_view title, std::string_view content);

struct Frame {
    std::string title, node;
    WallTime at{};
    std::uint64_t generation = 0;
    bool stale = false; ///< the control thread does not answer; what is shown is of `at`
};

/// The whole document around what <main> holds.
std::string document(const Frame& frame, std::string_view main);

} // namespace fairway::daemon::page
