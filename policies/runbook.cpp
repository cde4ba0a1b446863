#include "policies/runbook.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

const Hook* hook_of(const Service& s, Hook::Step step) {
    auto it = s.hooks.find(step);
    return it == s.hooks.end() ? nullptr : &it->second;
}

std::optional<Hook::Step> hook_step(SwitchStep s) {
    switch (s) {
    case SwitchStep::prepare: return Hook::Step::prepare;
    case SwitchStep::fence: return Hook::Step::fence;
    case SwitchStep::promote: return Hook::Step::promote;
    case SwitchStep::failback: return Hook::Step::failback;
    case SwitchStep::after_failover: return Hook::Step::after_failover;
    default: return std::nullopt;
    }
}

SwitchStep next(SwitchStep s) {
    switch (s) {
    case SwitchStep::announce: return SwitchStep::prepare;
    case SwitchStep::prepare: return SwitchStep::fence;
    case SwitchStep::fence: return SwitchStep::promote;
    case SwitchStep::promote:
    case SwitchStep::failback: return SwitchStep::await_role;
    case SwitchStep::await_role: return SwitchStep::after_failover;
    default: return SwitchStep::done;
    }
}

/// One step of one switch, with what it says on the way.
class Walk {
  public:
    Walk(Switch& s, bool& hook_running, const RunbookView& view)
        : s_(s), hook_running_(hook_running), view_(view) {}

    RunbookStep said() && { return std::move(out_); }

    RunbookStep go() && {
        while (!out_.ended && !hook_running_ && step()) {}
        return std::move(out_);
    }

    void enter(SwitchStep step, std::string why) {
        s_.step = step;
        s_.step_since = view_.now.wall;
        out_.changed = true;
        say(Change::switch_step, Severity::info, std::move(why));
    }

    void wait(SwitchStep resume, std::string failure, Severity severity) {
        s_.resume = resume;
        s_.failure = std::move(failure);
        s_.by_primary = false;
        s_.step = SwitchStep::awaiting_approval;
        s_.step_since = view_.now.wall;
        wake_after(approval_lasts);
        out_.changed = true;
        say(Change::switch_waiting, severity, s_.failure + "; `fairwayctl approve " + s_.id + "` goes on");
    }

    void failed(std::string why) { say(Change::switch_failed, Severity::critical, std::move(why)); }

  private:
    /// True if the switch moved and may move further.
    bool step() {
        if (view_.role_elsewhere) return end(Change::switch_obsolete, "the primary is at another site");
        if (!view_.cause_holds && !s_.fence_begun && before_promotion())
            return end(Change::switch_obsolete, "the reason is gone: " + s_.reason);
        if (view_.target_failed && s_.step < SwitchStep::await_role)
            return end(Change::switch_obsolete, s_.to + " can no longer take over");
        if (view_.service.follows_primary() && view_.role_arrived && s_.step < SwitchStep::await_role) {
            enter(SwitchStep::await_role, s_.to + " was promoted otherwise");
            return true;
        }
        switch (s_.step) {
        case SwitchStep::awaiting_approval: return expire();
        case SwitchStep::await_role:
            if (!view_.role_arrived) return await_no_longer();
            enter(SwitchStep::after_failover, s_.to + " holds the role");
            return true;
        case SwitchStep::announce: return announced();
        case SwitchStep::old_answers:
            if (!waited(old_answers_last())) return false;
            enter(SwitchStep::done, "the last answer that names " + s_.from + " is gone");
            return true;
        case SwitchStep::done: return end(Change::switch_done, "moved to " + s_.to);
        case SwitchStep::obsolete: return end(Change::switch_obsolete, s_.failure);
        default: return run_or_pass();
        }
    }

    bool before_promotion() const {
        return s_.step <= SwitchStep::promote; // awaiting_approval, prepare, fence, promote
    }

    void wake_after(Duration limit) {
        out_.due = s_.step_since + std::chrono::ceil<WallTime::duration>(limit);
    }

    /// Has this step waited that long? Says when it will have.
    bool waited(Duration limit) {
        if (view_.now.wall - s_.step_since >= limit) return true;
        wake_after(limit);
        return false;
    }

    bool expire() {
        if (!waited(approval_lasts)) return false;
        return end(Change::switch_obsolete, "not approved within 24 hours");
    }

    /// Answers given before the move live for the short TTL, or what is left of the long one. The second is
    /// for the store, which is written before the move is published.
    Duration old_answers_last() const {
        return std::max<Duration>(view_.service.ttl.min + 1s, s_.announced - (s_.step_since - s_.started));
    }

    /// Answers with the TTL of quiet days are waited out, unless the site that is left has no more to give.
    bool announced() {
        if (view_.source_well && !waited(s_.announced)) return false;
        enter(s_.resume,
              view_.source_well ? "answers are short-lived now" : s_.from + " fails: there is no time");
        return true;
    }

    /// A hook may end well and the role never arrive: nothing may block the next switch for ever.
    bool await_no_longer() {
        Duration limit = view_.service.no_primary_hold;
        if (!waited(limit)) return false;
        auto why = s_.to + " did not become primary within " + brief(limit);
        failed(why);
        if (view_.still_there) return end(Change::switch_obsolete, "the primary is still in " + s_.from);
        wait(s_.cause == SwitchCause::requested_failback && hook_of(view_.service, Hook::Step::failback)
                 ? SwitchStep::failback
                 : SwitchStep::promote,
             why, Severity::critical);
        return false;
    }

    /// A site that this node cannot look at may hold a primary by now.
    bool in_the_dark() const { return !view_.dark.empty() && !s_.blind && s_.step <= SwitchStep::promote; }

    /// The node itself may be cut off, which ends soon or needs somebody who can see.
    bool await_sight() {
        if (!waited(view_.service.no_primary_hold)) return false;
        s_.blind = true;
        wait(s_.step, view_.dark + " cannot be looked at from here, and may hold a primary",
             Severity::critical);
        return false;
    }

    bool run_or_pass() {
        if (in_the_dark()) return await_sight();
        if (view_.unsettled && s_.step <= SwitchStep::promote) return false;
        if (view_.guard && !s_.approved && s_.step <= SwitchStep::promote) {
            wait(s_.step, *view_.guard, Severity::critical);
            return false;
        }
        if (s_.step == SwitchStep::promote && !s_.insisted) {
            if (!view_.source_claims) return false; // it is being looked at
            if (*view_.source_claims) {
                wait(SwitchStep::promote,
                     s_.from + " is still primary: promoting " + s_.to +
                         " would make two; it goes on by itself once the primary in " + s_.from +
                         " is stopped",
                     Severity::critical);
                s_.by_primary = true;
                return false;
            }
        }
        if (!view_.guard && !std::exchange(s_.data_judged, true)) out_.changed = true;
        if (const Hook* hook = hook_of(view_.service, *hook_step(s_.step))) return run(*hook);
        enter(after(s_.step), "no " + std::string(to_string(s_.step)) + " hook");
        return true;
    }

  public:
    SwitchStep after(SwitchStep step) const {
        const bool planned = s_.cause == SwitchCause::requested_move;
        return step == SwitchStep::after_failover && planned ? SwitchStep::old_answers : next(step);
    }

  private:
    bool run(const Hook&) {
        hook_running_ = true;
        if (s_.step == SwitchStep::fence && !s_.fence_begun) s_.fence_begun = out_.changed = true;
        say(Change::switch_step, Severity::info, "running the " + std::string(to_string(s_.step)) + " hook");
        out_.hooks.push_back({.service = view_.service.title(),
                              .switch_id = s_.id,
                              .step = *hook_step(s_.step),
                              .from = s_.from,
                              .to = s_.to,
                              .reason = s_.reason,
                              .lag = view_.lag});
        return false;
    }

    bool end(Change change, std::string why) {
        bool fenced_for_nothing = change == Change::switch_obsolete && s_.fence_begun;
        say(change, fenced_for_nothing ? Severity::critical : Severity::info, std::move(why));
        out_.changed = out_.ended = true;
        return false;
    }

    void say(Change change, Severity severity, std::string why) {
        out_.transitions.push_back({.change = change,
                                    .severity = severity,
                                    .service = view_.service.title(),
                                    .datacenter = s_.to,
                                    .subject = s_.id,
                                    .from = s_.from,
                                    .to = s_.to,
                                    .reason = std::move(why),
                                    .decided = view_.now.mono});
    }

    Switch& s_;
    bool& hook_running_;
    const RunbookView& view_;
    RunbookStep out_;
};

} // namespace

Switch new_switch(const Service& service, SwitchCause cause, std::string epoch, std::string from,
                  std::string to, std::string reason, std::string wait, Now now) {
    Switch s{.cause = cause, .from = std::move(from), .to = std::move(to), .reason = std::move(reason)};
    s.id = service.title() + ":" + epoch + ":" + s.to;
    bool direct = cause == SwitchCause::requested_failback && service.hooks.contains(Hook::Step::failback);
    SwitchStep first = direct ? SwitchStep::failback : SwitchStep::prepare;
    s.step = wait.empty() ? first : SwitchStep::awaiting_approval;
    s.resume = first;
    if (cause == SwitchCause::requested_move) s.step = SwitchStep::announce;
    s.failure = std::move(wait);
    s.started = s.step_since = now.wall;
    return s;
}

std::vector<std::string> steps_ahead(const Switch& s, const Service& service) {
    std::vector<std::string> lines;
    if (s.step == SwitchStep::announce && s.announced > Duration{})
        lines.push_back("announce: TTL " + brief(service.ttl.min) + ", answers with " + brief(s.announced) +
                        " are waited out");
    for (SwitchStep step = s.resume; step != SwitchStep::await_role; step = next(step)) {
        const Hook* hook = hook_of(service, *hook_step(step));
        const std::string what(to_string(step));
        lines.push_back(hook ? what + ": its hook, at most " + brief(hook->timeout) : what + ": no hook");
    }
    if (service.follows_primary()) lines.push_back("await role: " + s.to + " reports to be primary");
    lines.push_back("move: the answer is " + s.to);
    if (hook_of(service, Hook::Step::after_failover)) lines.push_back("after failover: its hook");
    lines.push_back("old answers: " + brief(service.ttl.min) + " until the last that names " + s.from +
                    " is gone");
    return lines;
}

std::optional<std::string> past_return(const Switch& s, bool hook_running, bool forced) {
    if (hook_running) return "its " + std::string(to_string(s.step)) + " hook runs: wait for its end";
    if (forced && s.step <= SwitchStep::await_role) return std::nullopt;
    if (s.fence_begun && s.step <= SwitchStep::await_role)
        return "the fence has begun: bring it to its end, or undo by hand what its hooks did and say "
               "--abort --force";
    const bool direct = s.step == SwitchStep::failback || s.resume == SwitchStep::failback;
    const bool early = s.step <= SwitchStep::fence && !direct;
    if (early && s.resume <= SwitchStep::fence) return std::nullopt;
    return "it has gone too far (" + std::string(to_string(s.step)) + ")";
}

RunbookStep advance(Switch& s, bool& hook_running, const RunbookView& view) {
    return Walk(s, hook_running, view).go();
}

RunbookStep hook_ended(Switch& s, bool& hook_running, const HookResult& result, const RunbookView& view) {
    if (result.switch_id != s.id || hook_step(s.step) != result.step || !hook_running) return {};
    hook_running = false;
    Walk walk(s, hook_running, view);
    SwitchStep ended = s.step;
    auto what = "the " + std::string(to_string(ended)) + " hook ";
    const Hook* hook = hook_of(view.service, result.step);
    bool may_fail =
        ended == SwitchStep::after_failover || (ended == SwitchStep::fence && hook && !hook->required);
    if (result.ok || may_fail) {
        if (!result.ok) walk.failed(what + "failed and was not required: " + result.detail);
        walk.enter(walk.after(ended), what + "ended");
        return std::move(walk).said();
    }
    // Nothing that failed is repeated by itself. A person lets it go on: past a failed prepare or fence, or
    // once more to a promote or failback that failed (the hook knows the id and is idempotent).
    walk.failed(what + "failed: " + result.detail);
    bool again = ended == SwitchStep::promote || ended == SwitchStep::failback;
    walk.wait(again ? ended : walk.after(ended), what + "failed: " + result.detail, Severity::critical);
    return std::move(walk).said();
}

RunbookStep approve(Switch& s, bool& hook_running, const std::string& who, const RunbookView& view) {
    s.approved = true;
    s.insisted = s.resume == SwitchStep::promote;
    s.by_primary = false;
    s.operator_name = who;
    s.failure.clear();
    Walk walk(s, hook_running, view);
    walk.enter(s.resume, "approved by " + who);
    return std::move(walk).said();
}

} // namespace fairway::policies
