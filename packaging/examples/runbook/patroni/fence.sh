#!/bin/bash
# Runbook step `fence`: the cluster that is left becomes a standby cluster of the one we go to, so it takes no write.
#
# Where Patroni does not answer there, the site must be cut off (sites.conf), or the step fails and Fairway waits for a
# person. A cluster without its etcd demotes itself after `ttl`, but from here that cannot be told from a cut cable.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"
[ -n "$from" ] || { echo "no site is left: nothing to fence"; exit 0; }

if reachable "$from"; then
    become_standby_of "$from" "$to"
    wait_for "$from" standby_leader 45 || fail "the cluster of $from has not become a standby cluster"
    echo "the cluster of $from takes no write"
else
    declare -F cut_off >/dev/null || fail "Patroni of $from does not answer and there is no cut_off in $configuration"
    cut_off "$from" || fail "Patroni of $from does not answer, and it could not be cut off"
    echo "cut off $from"
fi
