#!/bin/bash
# Makes the former primary a standby of the new one: rejoin.sh FROM TO, by hand, or as part of failback.sh.
#
# pg_rewind takes back what the other one has never got: the commits that were lost stand in its output and in the
# divergent part of the WAL. It needs data checksums or wal_log_hints. Where it cannot, copy the database anew
# (pg_basebackup). Never run while FROM could still be the primary of somebody: fence first.
set -euo pipefail
if [ $# -eq 2 ]; then export FAIRWAY_FROM=$1 FAIRWAY_TO=$2; fi
. "$(dirname "$(readlink -f "$0")")/common.sh"
[ -n "$from" ] || fail "usage: rejoin.sh FROM TO"

[ "$(state "$to")" = "in production" ] || fail "the database of $to is not a primary: $(state "$to")"
if running "$from"; then
    is_standby "$from" && { echo "the database of $from is a standby already"; exit 0; }
    fail "the database of $from runs as a primary: fence it first"
fi
# A primary that was killed has to recover before it can be rewound; pg_rewind does that by itself.
at "$from" "$bin/pg_rewind" -D "${data[$from]}" --source-server="${conninfo[$to]}" \
    ${settings[$from]:+--config-file="${settings[$from]}"} --progress
# The rewound files are the other one's, its postgresql.auto.conf among them.
at "$from" bash -c "printf \"primary_conninfo = '%s'\\n\" \"\$1\" >>\"\$2/postgresql.auto.conf\" && touch \"\$2/standby.signal\"" \
    - "${conninfo[$to]} application_name=$from" "${data[$from]}"
start "$from"
echo "the database of $from streams from $to"
