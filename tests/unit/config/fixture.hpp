// A configuration in a directory of its own, loaded.
#pragma once

#include "config/diagnostics.hpp"
#include "config/load/load.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>

namespace fairway::load {

/// Files in a fresh directory, gone with this object.
class Files {
  public:
    Files() {
        std::string made = (std::filesystem::temp_directory_path() / "fairway-config-XXXXXX").string();
        if (!mkdtemp(made.data())) throw std::runtime_error("mkdtemp");
        directory_ = made;
    }
    ~Files() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;

    std::string write(const std::string& name, const std::string& content) const {
        const auto path = directory_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << content;
        return path.string();
    }
    std::string path(const std::string& name) const { return (directory_ / name).string(); }

  private:
    std::filesystem::path directory_;
};

struct Loaded {
    Files files;
    ModelPtr model;
    Diagnostics problems;

    explicit Loaded(const std::string& yaml, const std::map<std::string, std::string>& more = {}) {
        for (const auto& [name, content] : more) files.write(name, content);
        model = load(files.write("fairway.yaml", yaml), problems);
    }
    /// The problems with their file's name alone: "fairway.yaml:3:5: error: ...".
    std::string told() const {
        std::string out = problems.to_string();
        const std::string directory = files.path("");
        for (std::size_t at; (at = out.find(directory)) != out.npos;) out.erase(at, directory.size());
        return out;
    }
};

/// Something to put services into: lines 1 to 8.
inline const std::string base = R"(zones:
  gtm.example.com:
    nameservers: {ns1: [192.0.2.53], ns2: [198.51.100.53]}
datacenters: {east: {region: us-east}, west: {region: us-west}, eu: {region: eu-central}}
checks:
  web: {type: http}
  db: {type: postgres}
  plain: {type: tcp}
)";

/// The base with one service of this body (one or more lines of flow or block YAML, indented by four).
inline std::string service(const std::string& body) {
    return base + "services:\n  shop.gtm.example.com:\n" + body;
}

inline const std::string two_sites =
    "    endpoints: {east: {addresses: [192.0.2.1]}, west: {addresses: [198.51.100.1]}}\n";

} // namespace fairway::load
