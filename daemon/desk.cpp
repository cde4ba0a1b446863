#include "daemon/desk.hpp"

namespace fairway::daemon {

NewestReport::Ptr NewestReport::fresh() {
    const bool good = made_ && !changed_ && clock_().mono - made_->at.mono < good_for;
    if (good) return made_;
    changed_ = false;
    return made_ = std::make_shared<const policies::Report>(make_());
}

NewestReport::Latest NewestReport::latest() {
    auto answer = desk_.ask([this] { return fresh(); }, patience);
    std::lock_guard hold(mutex_);
    if (answer) last_ = *answer;
    if (!last_) return {};
    return {last_, std::max(clock_().mono - last_->at.mono, Duration::zero())};
}

} // namespace fairway::daemon
