#!/bin/bash
# Runbook step `fence`: after it the database of the site that is left takes no write, whatever its clients do.
#
# Reached, it is stopped: `fast` sends the standby all there is before it ends. Not reached, it must be cut off
# (sites.conf); where that is not possible either, the step fails, nothing is promoted, and Fairway waits for a person
# who knows. Succeeds again if it is run again.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"
[ -n "$from" ] || { echo "no site is left: nothing to fence"; exit 0; }

if ! reachable "$from"; then
    declare -F cut_off >/dev/null || fail "$from does not answer and there is no cut_off in $configuration: is it really off?"
    cut_off "$from" || fail "$from does not answer and could not be cut off"
    echo "cut off $from"
elif ! running "$from"; then
    echo "the database of $from does not run"
elif pg_ctl "$from" stop -m fast -w -t 20 -s; then
    echo "stopped the database of $from"
else
    pg_ctl "$from" stop -m immediate -w -t 10 -s || fail "the database of $from does not stop"
    echo "stopped the database of $from at once"
fi
