#!/bin/bash
# Runbook step `fence`: makes sure that the database of the site we leave takes no write any more.
#
# A running one is stopped in order: it sends its standby all it has before it ends, so a planned switchover loses
# nothing. A dead one is fenced already. Succeeds again if it is run again.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/site.sh"
cd /

from=${FAIRWAY_FROM:?}
if running "$from"; then
    as_postgres "$bin/pg_ctl" -D "$(data "$from")" stop -m fast -w -t 8
    echo "stopped the database of $from"
else
    echo "the database of $from does not run"
fi
