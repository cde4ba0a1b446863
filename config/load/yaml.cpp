#include "config/load/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

namespace fairway::load {
namespace {

/// Aliases copy what they stand for. This many values, long texts counting for several, are five times our
/// largest configuration and about 150 MB; a file that multiplies itself ends here.
constexpr std::size_t most_nodes = 1'000'000;

struct TooLarge {
    YAML::Mark mark;
};

std::size_t count(const Node& n) {
    std::size_t total = 1 + n.text.size() / 64; // a node is about two cache lines, its text comes on top
    for (const Node& i : n.items) total += count(i);
    for (const Node::Member& m : n.members) total += 1 + count(m.value);
    return total;
}

/// Builds the tree from the parser's events. A stack of open collections; a mapping's key waits for its
/// value.
class Builder : public YAML::EventHandler {
  public:
    Builder(std::shared_ptr<const std::string> file, Diagnostics& problems)
        : file_(std::move(file)), problems_(problems) {}

    Node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(make(Node::Kind::null, mark), anchor);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        Node n = make(Node::Kind::scalar, mark);
        n.text = value;
        n.quoted = tag == "!"; // yaml-cpp: "?" is a plain scalar, "!" any quoted one
        add(std::move(n), anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const Node& original = anchors_[anchor];
        nodes_ += count(original);
        if (nodes_ > most_nodes) throw TooLarge{mark};
        add(Node(original), 0);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open_.push_back({make(Node::Kind::sequence, mark), {}, anchor});
    }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open_.push_back({make(Node::Kind::mapping, mark), {}, anchor});
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override {
        drop_duplicates(open_.back().node);
        close();
    }

  private:
    struct Open {
        Node node, key;
        YAML::anchor_t anchor;
        bool has_key = false, keep = true;
    };

    Node make(Node::Kind kind, const YAML::Mark& mark) {
        if (++nodes_ > most_nodes) throw TooLarge{mark};
        Node n;
        n.kind = kind;
        n.line = mark.line + 1;
        n.column = mark.column + 1;
        n.file = file_;
        return n;
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        add(std::move(done.node), done.anchor);
    }

    void add(Node n, YAML::anchor_t anchor) {
        if (anchor) anchors_[anchor] = n;
        if (open_.empty()) {
            root_ = std::move(n);
        } else if (Open& o = open_.back(); o.node.is_sequence()) {
            o.node.items.push_back(std::move(n));
        } else if (!o.has_key) {
            o.keep = check_key(n);
            o.key = std::move(n);
            o.has_key = true;
        } else {
            if (o.keep) o.node.members.push_back({std::move(o.key), std::move(n)});
            o.has_key = false;
        }
    }

    /// Reports a key that is not a plain word; such a member is not kept.
    bool check_key(const Node& key) {
        const bool merge = key.text == "<<" && !key.quoted;
        if (!key.is_scalar()) problems_.error(key.place(), "expected a word as key, found " + key.describe());
        else if (merge)
            problems_.error(key.place(),
                            "merge keys (`<<`) are not read; write the keys, or use `templates`");
        return key.is_scalar() && !merge;
    }

    /// Keeps the first of each key, as a person reading from above does, and reports the others.
    void drop_duplicates(Node& mapping) {
        std::map<std::string, int> first; // key -> line
        std::vector<Node::Member> kept;
        kept.reserve(mapping.members.size());
        for (Node::Member& m : mapping.members) {
            auto [it, fresh] = first.try_emplace(m.key.text, m.key.line);
            if (fresh) kept.push_back(std::move(m));
            else
                problems_.error(m.key.place(), '`' + m.key.text + "` is given twice; first at line " +
                                                   std::to_string(it->second));
        }
        mapping.members = std::move(kept);
    }

    std::shared_ptr<const std::string> file_;
    Diagnostics& problems_;
    Node root_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, Node> anchors_;
    std::size_t nodes_ = 0;
};

Place at(const std::string& file, const YAML::Mark& mark) { return {file, mark.line + 1, mark.column + 1}; }

void parse(std::istream& in, Builder& builder, const std::string& file, Diagnostics& problems) {
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    Builder rest(nullptr, problems);
    if (parser && parser.HandleNextDocument(rest))
        problems.error({file}, "holds more than one YAML document; a configuration is one");
}

} // namespace

std::optional<Node> read_yaml(const std::string& file, const Place& named_by, Diagnostics& problems) {
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::stringstream content;
    if (in && in.peek() != EOF) content << in.rdbuf();
    if (errno || in.bad() || !in.is_open()) {
        problems.error(named_by, '`' + file + "` cannot be read: " + std::strerror(errno ? errno : EIO));
        return std::nullopt;
    }
    Builder builder(std::make_shared<const std::string>(file), problems);
    try {
        parse(content, builder, file, problems);
        return builder.take();
    } catch (const YAML::Exception& e) {
        problems.error(at(file, e.mark), "not YAML: " + e.msg);
    } catch (const TooLarge& e) {
        problems.error(at(file, e.mark),
                       "aliases multiply this file beyond " + std::to_string(most_nodes) + " values");
    }
    return std::nullopt;
}

} // namespace fairway::load
