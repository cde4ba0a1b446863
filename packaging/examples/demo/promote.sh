#!/bin/bash
# Runbook step `promote`: makes the standby of the site we go to the primary.
#
# Fairway never does this by itself; it moves traffic once it sees the role. Succeeds again if it is run again.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/site.sh"
cd /

to=${FAIRWAY_TO:?}
running "$to" || { echo "the database of $to does not run" >&2; exit 1; }
if is_standby "$to"; then
    as_postgres "$bin/pg_ctl" -D "$(data "$to")" promote -w -t 25
    echo "promoted the database of $to"
else
    echo "the database of $to is the primary already"
fi
