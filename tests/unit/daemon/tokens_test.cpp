#include "daemon/tokens.hpp"
#include "tests/unit/daemon/scratch.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace fairway::daemon;

namespace {

const std::string one = "0123456789abcdefghij", other = "0123456789abcdefghik";

struct File {
    Scratch scratch;
    std::filesystem::path path = scratch.path / "control.tokens";
    explicit File(const std::string& text) { std::ofstream(path) << text; }
    std::string refusal() const {
        try {
            Tokens::read(path);
        } catch (const std::runtime_error& e) { return e.what(); }
        return "";
    }
};

} // namespace

TEST_CASE("a token belongs to the name before it; comments and empty lines are passed over") {
    const File file("# who may\n\nann " + one + "\n  deploy-bot\t" + other + "  # until May\n");
    const Tokens tokens = Tokens::read(file.path);
    CHECK(tokens.owner(one) == "ann");
    CHECK(tokens.owner(other) == "deploy-bot");
    CHECK_FALSE(tokens.owner(""));
    CHECK_FALSE(tokens.owner("ann"));
    CHECK_FALSE(tokens.owner(one + "x"));
    CHECK_FALSE(tokens.owner(one.substr(1)));
}

TEST_CASE("a file that cannot be right is refused by line, and no token is in what is said") {
    const auto refused = [](const std::string& text, const std::string& wanted) {
        const std::string said = File(text).refusal();
        CAPTURE(said);
        CHECK(said.find(wanted) != std::string::npos);
        CHECK(said.find(one) == std::string::npos);
    };
    refused("", "no token");
    refused("ann\n", ":1: expected NAME TOKEN");
    refused("# x\nann " + one + " more\n", ":2: expected NAME TOKEN");
    refused("ann secret\n", "shorter than 20");
    refused("ann " + one + "\nbob " + one + "\n", "another's");
    CHECK_THROWS(Tokens::read("/nowhere"));
}
