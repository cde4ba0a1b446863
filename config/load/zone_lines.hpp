// Cuts the text of a zone file (RFC 1035 section 5.1) into entries: comments gone, parentheses resolved, each
// with the line it starts on. Knows nothing of records; the records are ldns' business.
#pragma once

#include <string>
#include <string_view>

namespace fairway::load {

struct ZoneEntry {
    std::string text;      ///< one line; what is special inside quotes is written as \DDD
    int line = 0;          ///< counts from 1
    bool indented = false; ///< starts with a blank: the owner is that of the entry before
};

class ZoneLines {
  public:
    explicit ZoneLines(std::string_view content) : rest_(content) {}

    /// The next entry that is not empty; false at the end. `error` is set if it is broken (a quote or
    /// parenthesis that is not closed), and reading goes on at the next line.
    bool next(ZoneEntry& entry, std::string& error);

  private:
    char take();
    void quoted(ZoneEntry& entry, std::string& error);
    void comment();
    void octet(char c, ZoneEntry& entry);

    std::string_view rest_;
    int line_ = 1;
};

/// Takes one word, blanks skipped, off the front; a quoted text is one word, quotes included.
std::string_view take_word(std::string_view& text);

} // namespace fairway::load
