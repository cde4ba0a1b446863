// Tokens: who may command from afar. A file of lines "NAME TOKEN"; # begins a comment.
//
// A token is compared in the same time whatever it is, and never told to anybody. Immutable: any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::daemon {

/// Shorter ones could be tried out.
constexpr std::size_t shortest_token = 20;

class Tokens {
  public:
    /// Throws std::runtime_error: "control.tokens:3: expected NAME TOKEN". Tokens are not in the message.
    static Tokens read(const std::filesystem::path& file);

    std::optional<std::string> owner(std::string_view token) const;

  private:
    struct Entry {
        std::string name, token;
    };
    std::vector<Entry> all_;
};

/// Whether they are equal, in a time that says nothing of where they differ; their length shows.
bool same_secret(std::string_view a, std::string_view b);

} // namespace fairway::daemon
