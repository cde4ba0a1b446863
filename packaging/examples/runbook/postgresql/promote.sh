#!/bin/bash
# Runbook step `promote`: makes the standby of the site we go to the primary.
#
# Fairway has looked at the lag before and moves the traffic when it sees the new role. Succeeds again if it is run again.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

running "$to" || fail "the database of $to does not run"
if is_standby "$to"; then
    pg_ctl "$to" promote -w -t 60 -s || fail "$to was not promoted within a minute"
    # Until this checkpoint its control file has the old timeline, and pg_rewind of the other one would see no difference.
    sql "$to" CHECKPOINT
    echo "promoted the database of $to"
else
    echo "the database of $to is the primary already"
fi
