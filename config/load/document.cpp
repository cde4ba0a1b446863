#include "config/load/document.hpp"

#include "config/load/yaml.hpp"

#include <algorithm>
#include <glob.h>
#include <set>

namespace fairway::load {
namespace {

namespace fs = std::filesystem;

constexpr int deepest = 8;               // of files that include files: beyond it nobody finds anything again
constexpr std::size_t most_files = 4096; // one for each service of the largest installation, twice

class Assembly {
  public:
    explicit Assembly(Diagnostics& problems) : problems_(problems) {}

    std::optional<Node> read(const std::string& file, const Node* named_by, int depth) {
        if (!enter(file, named_by, depth)) return std::nullopt;
        std::optional<Node> root = read_yaml(file, named_by ? named_by->place() : Place{file}, problems_);
        if (!root) return std::nullopt;
        if (!root->is_mapping()) {
            problems_.error(root->place(),
                            "expected a mapping of `zones`, `datacenters`, `services` and so on, found " +
                                root->describe());
            return std::nullopt;
        }
        include_into(*root, depth);
        return root;
    }

  private:
    bool enter(const std::string& file, const Node* named_by, int depth) {
        std::error_code ignored;
        const Place place = named_by ? named_by->place() : Place{file};
        if (depth > deepest) {
            problems_.error(place, "includes are nested deeper than " + std::to_string(deepest));
        } else if (!seen_.insert(fs::weakly_canonical(file, ignored).string()).second) {
            problems_.error(place, "`" + file + "` is included twice");
        } else if (seen_.size() > most_files) {
            problems_.error(place, "more than " + std::to_string(most_files) + " files are included");
        } else {
            return true;
        }
        return false;
    }

    void include_into(Node& root, int depth) {
        const Node* list = root.find("include");
        if (!list) return;
        const Node globs = *list; // a copy: merging moves the members it lies among
        if (globs.is_scalar()) return include_glob(root, globs, depth);
        if (!globs.is_sequence())
            return problems_.error(globs.place(),
                                   "expected a list of files or globs, found " + globs.describe());
        for (const Node& g : globs.items) include_glob(root, g, depth);
    }

    void include_glob(Node& root, const Node& pattern, int depth) {
        if (!pattern.is_scalar())
            return problems_.error(pattern.place(), "expected a file or a glob, found " + pattern.describe());
        for (const std::string& file : matches(pattern))
            if (std::optional<Node> more = read(file, &pattern, depth + 1)) merge(root, std::move(*more));
    }

    std::vector<std::string> matches(const Node& pattern) {
        const fs::path named_in = fs::path(*pattern.file).parent_path();
        const std::string where = (named_in / pattern.text).string();
        if (where.find_first_of("*?[") == where.npos) return {where}; // a plain name has to exist
        std::vector<std::string> out;
        glob_t found{};
        if (glob(where.c_str(), 0, nullptr, &found) == 0)
            out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
        globfree(&found);
        if (out.empty()) problems_.warning(pattern.place(), "`" + pattern.text + "` matches no file");
        return out;
    }

    void merge(Node& into, Node from) {
        for (Node::Member& m : from.members) {
            if (m.key.text == "include") continue;
            auto same = find(into, m.key.text);
            if (same == into.members.end()) into.members.push_back(std::move(m));
            else if (same->value.is_mapping() && m.value.is_mapping())
                merge_section(same->value, std::move(m.value));
            else twice(m.key, same->key);
        }
    }

    void merge_section(Node& into, Node from) {
        for (Node::Member& m : from.members) {
            auto same = find(into, m.key.text);
            if (same == into.members.end()) into.members.push_back(std::move(m));
            else twice(m.key, same->key);
        }
    }

    static std::vector<Node::Member>::iterator find(Node& mapping, std::string_view key) {
        return std::find_if(mapping.members.begin(), mapping.members.end(),
                            [&](const Node::Member& m) { return m.key.text == key; });
    }

    void twice(const Node& second, const Node& first) {
        problems_.error(second.place(),
                        "`" + second.text + "` is given twice; first at " + first.place().to_string());
    }

    Diagnostics& problems_;
    std::set<std::string> seen_;
};

} // namespace

std::optional<Node> read_document(const std::string& file, Diagnostics& problems) {
    return Assembly(problems).read(file, nullptr, 0);
}

} // namespace fairway::load
