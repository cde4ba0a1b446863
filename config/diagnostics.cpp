#include "config/diagnostics.hpp"

#include <algorithm>
#include <numeric>

namespace fairway {
namespace {

/// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                next[j] = std::min(next[j], before[j - 2] + 1);
        }
        before.swap(row);
        row.swap(next);
    }
    return row[b.size()];
}

} // namespace

std::string Place::to_string() const {
    std::string out = file;
    if (line > 0) out += ':' + std::to_string(line);
    if (line > 0 && column > 0) out += ':' + std::to_string(column);
    return out;
}

std::string Diagnostic::to_string() const {
    std::string out = place.to_string();
    if (!out.empty()) out += ": ";
    return out + (severity == Severity::error ? "error: " : "warning: ") + message;
}

void Diagnostics::error(Place where, std::string message) {
    list_.push_back({Diagnostic::Severity::error, std::move(where), std::move(message)});
    ++errors_;
}

void Diagnostics::warning(Place where, std::string message) {
    list_.push_back({Diagnostic::Severity::warning, std::move(where), std::move(message)});
}

std::string Diagnostics::to_string() const {
    std::string out;
    for (const Diagnostic& d : list_) out += d.to_string() + '\n';
    return out;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    std::string_view best;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (std::string_view c : candidates) {
        if (const std::size_t d = distance(word, c); d < least) {
            least = d;
            best = c;
        }
    }
    return best;
}

} // namespace fairway
