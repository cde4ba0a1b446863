#!/bin/bash
# Runbook step `failback`: an orderly switchover to the preferred site.
#
# The primary is stopped in order, so its standby has all; that one is promoted; the other comes back as its standby.
# Nothing is lost; writes fail from the stop to the promotion, some seconds. If something fails on the way, look at
# both databases before anything else: none of these steps promotes a second primary. Succeeds again if it is run again.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
[ -n "$from" ] || fail "no site to come from"

running "$to" || fail "the database of $to does not run: rejoin it first"
if is_standby "$to"; then
    streaming=$(sql "$from" "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") || fail "$from does not answer"
    [ "$streaming" -gt 0 ] || fail "nobody streams from $from: $to does not have everything"
    "$here/fence.sh"
    "$here/promote.sh"
fi
FAIRWAY_FROM=$from FAIRWAY_TO=$to "$here/rejoin.sh"
