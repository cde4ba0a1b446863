// What is wrong with an input: every problem, each with its place and, where there is one, the nearest valid word.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairway {

/// Where something stands in a file. Lines and columns count from 1; 0 means unknown.
struct Place {
    std::string file;
    int line = 0;
    int column = 0;
    std::string to_string() const; ///< "fairway.yaml:12:5", as far as known
};

struct Diagnostic {
    enum class Severity { error, warning };
    Severity severity = Severity::error;
    Place place;
    std::string message;
    std::string to_string() const; ///< "fairway.yaml:12:5: error: ..."
};

/// Collects problems instead of stopping at the first one.
class Diagnostics {
  public:
    void error(Place where, std::string message);
    void warning(Place where, std::string message);
    bool ok() const { return errors_ == 0; }
    std::size_t errors() const { return errors_; }
    std::span<const Diagnostic> all() const { return list_; }
    std::string to_string() const; ///< one line each

  private:
    std::vector<Diagnostic> list_;
    std::size_t errors_ = 0;
};

/// The candidate at the smallest edit distance, or empty if none is near enough to be meant (a third of the word).
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

} // namespace fairway
