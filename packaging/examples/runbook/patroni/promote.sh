#!/bin/bash
# Runbook step `promote`: the standby cluster of the datacenter we go to becomes a cluster of its own; its leader is
# promoted by its Patroni. Succeeds again if it is run again.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

reachable "$to" || fail "Patroni of $to does not answer"
configure "$to" '{"standby_cluster": null}'
wait_for "$to" leader 90 || fail "no member of $to was promoted within 90 s"
echo "the cluster of $to is primary"
