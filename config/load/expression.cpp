#include "config/load/draft.hpp"

namespace fairway::load {
namespace {

constexpr std::string_view path = "services.*.application"; // `stateful` has the same keys

class ExpressionReader {
  public:
    ExpressionReader(Draft& draft, Binding& binding) : d_(draft), b_(binding) {}

    std::optional<Expression> read(const Node& n) {
        if (n.is_scalar()) return leaf(n.text, n.place(), true);
        if (!n.is_mapping()) return wrong(n, *find_key(path), b_.problems), std::nullopt;
        return n.find("type") ? in_place(n) : combination(n);
    }

  private:
    std::optional<Expression> leaf(std::string_view name, const Place& place, bool required) {
        const NamedCheck* check = b_.check(name, place);
        if (!check) return std::nullopt;
        return of(name, *check, required);
    }

    std::optional<Expression> of(std::string_view name, const NamedCheck& check, bool required) {
        d_.used.emplace(name, check.index);
        if (!check.usable) d_.checks_usable = false;
        Expression e;
        e.check = check.index;
        e.required = required;
        return e;
    }

    std::optional<Expression> in_place(const Node& n) {
        const Mapping m(n, "checks.*", b_.problems);
        std::string name;
        if (!m.read("name", name)) {
            if (!m.has("name")) b_.problems.error(m.place(), "a check written in place needs a `name`");
            return std::nullopt;
        }
        plain_name(*m.get("name"), b_.problems);
        return of(name, add_check(m, name, m.get("name")->place(), true, b_), true);
    }

    std::optional<Expression> combination(const Node& n) {
        const Mapping m(n, path, b_.problems);
        constexpr std::string_view kinds[] = {"check", "all", "any", "at_least", "not"};
        std::string_view kind;
        for (std::string_view k : kinds) {
            if (!m.has(k)) continue;
            if (!kind.empty())
                b_.problems.error(m.place_of(k), "`" + std::string(k) + "` beside `" + std::string(kind) +
                                                     "`: one of them at a time");
            else kind = k;
        }
        if (kind.empty()) return nothing_said(n);
        if (m.has("of") && kind != "at_least")
            b_.problems.error(m.place_of("of"), "`of` belongs to `at_least`");
        bool required = true;
        m.read("required", required);
        std::optional<Expression> e = kind == "check" ? named(m, required) : combine(m, kind);
        if (e) e->required = required;
        return e;
    }

    std::optional<Expression> nothing_said(const Node& n) {
        if (n.members.empty()) wrong(n, *find_key(path), b_.problems);
        else if (n.find("required") || n.find("of"))
            b_.problems.error(n.place(), "expected `check`, `all`, `any`, `at_least` or `not` here");
        return std::nullopt; // otherwise the unknown key has been reported
    }

    std::optional<Expression> named(const Mapping& m, bool required) {
        std::string name;
        if (!m.read("check", name)) return std::nullopt;
        return leaf(name, m.get("check")->place(), required);
    }

    std::optional<Expression> combine(const Mapping& m, std::string_view kind) {
        Expression e;
        if (kind == "not") {
            e.op = Expression::Op::negate;
            return operand(*m.get("not"), e) ? std::optional(e) : std::nullopt;
        }
        e.op = kind == "all"   ? Expression::Op::all
               : kind == "any" ? Expression::Op::any
                               : Expression::Op::at_least;
        const std::string_view list = kind == "at_least" ? "of" : kind;
        if (!m.has(list)) return b_.problems.error(m.place_of(kind), "`at_least` needs `of`"), std::nullopt;
        const bool right = operands(*m.get(list), list, e);
        if (kind == "at_least" && m.read("at_least", e.count) && right && e.count > e.operands.size())
            wrong(*m.get("at_least"), *find_key("services.*.application.at_least"), b_.problems,
                  "at most the " + std::to_string(e.operands.size()) + " of `of`");
        return right ? std::optional(e) : std::nullopt;
    }

    bool operands(const Node& list, std::string_view key, Expression& e) {
        if (!list.is_sequence() || list.items.empty()) {
            b_.problems.error(list.place(), std::string(key) + ": expected a list of checks, found " +
                                                (list.is_sequence() ? "an empty one" : list.describe()));
            return false;
        }
        bool right = true;
        for (const Node& item : list.items) right = operand(item, e) && right;
        return right;
    }

    bool operand(const Node& n, Expression& e) {
        auto inner = read(n);
        if (inner) e.operands.push_back(std::move(*inner));
        return inner.has_value();
    }

    Draft& d_;
    Binding& b_;
};

} // namespace

std::optional<Expression> read_expression(const Node& n, Draft& d, Binding& b) {
    return ExpressionReader(d, b).read(n);
}

void each_check(const Expression& e, const std::function<void(CheckIndex, bool)>& visit, bool required) {
    required = required && e.required;
    if (e.op == Expression::Op::check) visit(e.check, required);
    for (const Expression& operand : e.operands) each_check(operand, visit, required);
}

} // namespace fairway::load
