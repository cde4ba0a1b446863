#!/bin/bash
# Runbook step `failback`: a switchover between the clusters while both of them answer.
#
# The one that is left is demoted first and takes no write any more. How the demotion is done is Patroni's affair: look at
# both clusters' positions (patronictl list) in a drill before you rely on losing nothing.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
[ -n "$from" ] || fail "no site to come from"
for site in "$from" "$to"; do
    reachable "$site" || fail "Patroni of $site does not answer: this is a failover, not a switchover"
done
"$here/fence.sh"
"$here/promote.sh"
