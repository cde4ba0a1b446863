#include "config/load/load.hpp"
#include "tests/sim/story.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <stdlib.h>

namespace fairway::sim {

namespace {

constexpr std::string_view one_zone = "zones: {gtm.example.com: {nameservers: {ns1: [192.0.2.53]}}}\n";

/// A directory with the one file, gone at the end.
class File {
  public:
    explicit File(std::string_view text) {
        auto pattern = (std::filesystem::temp_directory_path() / "fairway-story-XXXXXX").string();
        if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
        directory_ = pattern;
        std::ofstream(path()) << text;
    }
    ~File() { std::filesystem::remove_all(directory_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    std::filesystem::path path() const { return directory_ / "fairway.yaml"; }

  private:
    std::filesystem::path directory_;
};

} // namespace

ModelPtr load_story(std::string_view yaml) {
    bool has_zone = yaml.starts_with("zones:") || yaml.find("\nzones:") != yaml.npos;
    File file(has_zone ? std::string(yaml) : std::string(one_zone).append(yaml));
    Diagnostics problems;
    auto model = load::load(file.path(), problems);
    if (!model) throw std::invalid_argument(problems.to_string());
    return model;
}

} // namespace fairway::sim
