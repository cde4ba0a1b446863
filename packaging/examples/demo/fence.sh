#!/bin/bash
# Runbook step `fence`: makes sure that the database of the site we leave takes no write any more.
#
# A running one is stopped in order: it sends its standby all it has before it ends, so a planned switchover loses
# nothing. One that does not listen any more is killed. A dead one is fenced already. Succeeds again if it is run again.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/site.sh"
cd /

from=${FAIRWAY_FROM:?}
if ! running "$from"; then
    echo "the database of $from does not run"
elif as_postgres "$bin/pg_ctl" -D "$(data "$from")" stop -m fast -w -t 4; then
    echo "stopped the database of $from"
else
    pid=$(head -n 1 "$(data "$from")/postmaster.pid")
    pkill -KILL -P "$pid" || true # its backends, which would keep its shared memory
    kill -KILL "$pid"
    echo "killed the database of $from"
fi
