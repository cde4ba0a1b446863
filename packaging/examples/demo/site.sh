# Sourced by fence.sh and promote.sh: where the throw-away databases are and how they are spoken to.
#
# FAIRWAY_DEMO is the demonstration's directory, with one folder a datacenter; fairwayd hands its own environment
# down to the programs of the runbook and adds FAIRWAY_ID, _SERVICE, _STEP, _FROM, _TO and _REASON (the same
# things stand as JSON on standard input).
: "${FAIRWAY_DEMO:?is the directory of the demonstration}"
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

data() { printf '%s\n' "$FAIRWAY_DEMO/$1/postgres"; } # data directory of a datacenter's database

as_postgres() { # PostgreSQL refuses to run as root
    if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

running() { as_postgres "$bin/pg_ctl" -D "$(data "$1")" status >/dev/null 2>&1; }

is_standby() { [ -e "$(data "$1")/standby.signal" ]; }
