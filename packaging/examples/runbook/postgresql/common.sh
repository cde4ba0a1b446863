# shellcheck shell=bash
# Sourced by the steps of the runbook: where the databases are, and how they are spoken to.
declare -A host conninfo data settings
remote=() bin=''
configuration=${FAIRWAY_POSTGRESQL:-/etc/fairway/postgresql.conf}
# shellcheck source=sites.conf
. "$configuration"

fail() { echo "$*" >&2; exit 1; }

# Fairway says which datacenters it means (they stand as JSON on standard input, too).
from=${FAIRWAY_FROM:-} to=${FAIRWAY_TO:?is the datacenter to go to}
for site in $from "$to"; do
    [ -n "${host[$site]:-}" ] || fail "$configuration does not know the datacenter $site"
done

# Runs a command at a datacenter's database, as its user.
at() { # SITE WORD...
    local site=$1
    shift
    "${remote[@]}" "${host[$site]}" "$(printf '%q ' "$@")"
}

reachable() { at "$1" true >/dev/null 2>&1; }

pg_ctl() { # SITE ARGUMENT...
    local site=$1
    shift
    at "$site" "$bin/pg_ctl" -D "${data[$site]}" "$@"
}

running() { pg_ctl "$1" status >/dev/null 2>&1; }

start() { pg_ctl "$1" start -w -t 60 -s -l "${data[$1]}/startup.log" ${settings[$1]:+-o "-c config_file=${settings[$1]}"}; }

# "in production", "in archive recovery", "shut down", ...
state() { at "$1" env LC_ALL=C "$bin/pg_controldata" -D "${data[$1]}" | sed -n 's/^Database cluster state: *//p'; }

is_standby() { at "$1" test -e "${data[$1]}/standby.signal"; }

sql() { # SITE STATEMENT
    at "$1" "$bin/psql" -XAtq -v ON_ERROR_STOP=1 -d "${conninfo[$1]}" -c "$2"
}
