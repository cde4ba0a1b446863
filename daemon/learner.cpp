#include "daemon/learner.hpp"

#include <iterator>
#include <utility>

namespace fairway::daemon {

using namespace policies;

Learner::Learner(Loop& loop, StateStore& store, LearnedSettings settings, std::vector<LearnedRecord> restored,
                 Office office)
    : loop_(loop), store_(store), book_(settings, std::move(restored)), office_(std::move(office)) {
    next_ = loop_.after(round, [this] { go_round(); });
}

void Learner::add(std::span<const Measurement> told) {
    const WallTime now = loop_.now().wall;
    for (const Measurement& m : told) book_.add(m, now);
}

void Learner::go_round() {
    next_ = loop_.after(round, [this] { go_round(); });
    if (!office_.held() && book_.settle(loop_.now().wall)) office_.apply(book_.used());
    write();
}

/// Older records first: of two of one network the newer is stored.
void Learner::write() {
    StateWrite w;
    w.learned = std::exchange(owed_, {});
    auto changed = book_.changed();
    std::ranges::move(changed, std::back_inserter(w.learned));
    if (w.learned.empty()) return;
    // The store answers in this loop, and is there no longer than we are.
    store_.write(w, [this, told = w.learned](const std::string& error) {
        if (!error.empty()) owed_.insert(owed_.begin(), told.begin(), told.end());
    });
}

} // namespace fairway::daemon
