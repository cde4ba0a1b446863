// Member health: rise, fall and hold-down over the results of one member (L1, L2), and nothing else.
//
// Counters of the same make run beside each other: does it work, do its facts satisfy the check, are its data
// current enough, has it lost nothing. A verdict nobody has reached yet is `undecided`; it becomes ready with
// the first pass (L20).
#pragma once

#include "policies/observation.hpp"
#include "policies/report.hpp"

#include <array>
#include <optional>

namespace fairway::policies {

enum class Moved : std::uint8_t { no, up, down };

/// Consecutive results of one kind, and the verdict they have led to.
struct Run {
    Readiness verdict = Readiness::undecided;
    Instant since{};     ///< of the verdict
    unsigned passes = 0; ///< in a row; 0 while failing
    unsigned fails = 0;  ///< in a row; 0 while passing
    Instant begin{};     ///< end of the first result of the present row

    Moved pass(const CheckTiming& timing, Instant at);
    /// `decisive` false: counted, but the last step to down is left to the caller (silence, L4).
    Moved fail(const CheckTiming& timing, Instant at, bool decisive = true);
    Moved condemn(Instant at); ///< the last step to down
    bool at_the_brink(const CheckTiming& timing) const {
        return fails >= timing.fall && verdict != Readiness::unready;
    }
};

/// What the latest answers of a member say of its role (L13).
struct RoleTrack {
    std::optional<Role> role;         ///< of the latest answered result; empty: it named none
    Instant begun{}, ended{};         ///< of the latest answered result
    Instant primary_first{};          ///< end of the first look of the present row of "primary"
    unsigned primary_looks = 0;       ///< answered results in a row that said primary
    unsigned otherwise = 0;           ///< answered results in a row that said something else
    unsigned roleless = 0;            ///< results in a row, silence included, without any role (L15)
    bool was_primary = false;         ///< has ever said primary
    std::optional<Instant> unclaimed; ///< begin of the first result since the last that said primary
    std::optional<std::uint64_t> epoch;
    std::string system;
};

/// Everything remembered of one member.
struct MemberHealth {
    Run works;    ///< does it work
    Run meets;    ///< role and quorum are what the check asks for
    Run keeps_up; ///< max_lag is kept: waived for who serves an eventually consistent store (L1)
    Run whole;    ///< its passing results were not `degraded`: never takes it out, only ranks it behind
    std::optional<double> weight; ///< the share of its traffic it asked for last; empty: it never did
    RoleTrack claim;
    Observation last; ///< latest result of any outcome; begun is zero before the first
    std::optional<Instant> last_pass;
    std::optional<Instant> silent_since; ///< begin of the first silent probe of the present failing row
    std::optional<Instant> first_failed; ///< begin of the first probe of the present failing row
    bool awaited = false;                ///< its next result is news, whatever it says: it was asked for
    bool held = false;                   ///< silent, and not believed (self-doubt)
    std::array<std::string, 3> recent_failures; ///< newest last, for evidence

    /// What a result has changed.
    struct Step {
        Moved works = Moved::no, meets = Moved::no, keeps_up = Moved::no;
        bool row = false;    ///< a row of failures has begun or ended
        bool ranked = false; ///< `whole` or `weight` is otherwise than before
        bool held = false;   ///< its silence is not believed from now on
        bool judge = false;  ///< silence is about to take it down: self-doubt has to be asked
        /// Any of these but `judge`, or another thing besides freshness: whoever depends on it decides anew.
        bool changed = false;
        bool moved(Moved to) const { return works == to || meets == to || keeps_up == to; }
    };

    /// What the facts of a passing result come to. A role gained needs no more than a re-test (L1).
    struct Facts {
        bool meet = true, keep_up = true;
    };

    /// Takes one result. `doubt`: silence is held, it moves no counter. `facts` is looked at for a pass only.
    Step observe(const Observation& seen, const Check& check, bool doubt, Facts facts);

    Readiness requirements() const; ///< `meets` and `keeps_up` together
    Readiness ready() const;        ///< works and its facts satisfy the check
    bool failing() const { return works.fails > 0 || meets.fails > 0 || keeps_up.fails > 0; }

  private:
    void fall(const Observation& seen, const CheckTiming& timing, Step& step);
    void rise(const Observation& seen, const Check& check, Facts facts, Step& step);
};

} // namespace fairway::policies
