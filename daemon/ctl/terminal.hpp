// Where fairwayctl prints: tables for people, colour only on a terminal and only if NO_COLOR is not set.
#pragma once

#include <string>
#include <vector>

namespace fairway::ctl {

enum class Colour { none, good, warn, bad, dim };

struct Cell {
    std::string text;
    Colour colour = Colour::none;
    Cell(std::string t, Colour c = Colour::none) : text(std::move(t)), colour(c) {}
    Cell(const char* t, Colour c = Colour::none) : text(t), colour(c) {}
};

class Terminal {
  public:
    Terminal();                                   ///< looks at stdout and the environment
    void document(const std::string& json) const; ///< as it is, with its line ends; for programs
    void line(const std::string& text, Colour colour = Colour::none) const;
    void begin_page() const; ///< a fresh screen on a terminal, an empty line in a pipe
    void table(const std::vector<std::vector<Cell>>& rows) const; ///< the first row is its head
    void error(const std::string& text) const;                    ///< to stderr, with the program's name
    void note(const std::string& text) const;                     ///< to stderr, without it
    void
    progress(const std::string& text) const; ///< a note for who looks on: only where stderr is a terminal

  private:
    std::string painted(const std::string& text, Colour colour) const;
    bool terminal_, colours_;
};

/// Without control characters, each a '?': what targets, hooks and other operators said must not command the
/// terminal, nor look like a line of ours.
std::string printable(const std::string& text);

/// "5m10s": the time between two RFC 3339 times; "-" if one is not.
std::string between(const std::string& since, const std::string& until);

} // namespace fairway::ctl
