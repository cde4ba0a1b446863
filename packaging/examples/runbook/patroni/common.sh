# shellcheck shell=bash
# Sourced by the steps of the runbook: how Patroni's REST API is spoken to.
declare -A api stream_host
curl_options=() stream_port=5432
configuration=${FAIRWAY_PATRONI:-/etc/fairway/patroni.conf}
# shellcheck source=sites.conf
. "$configuration"

fail() { echo "$*" >&2; exit 1; }

from=${FAIRWAY_FROM:-} to=${FAIRWAY_TO:?is the datacenter to go to}
for site in $from "$to"; do
    [ -n "${api[$site]:-}" ] || fail "$configuration does not know the datacenter $site"
done

ask() { # SITE PATH CURL-OPTION...: the body, and success if the status is below 400
    local site=$1 path=$2
    shift 2
    curl --silent --show-error --fail --max-time 5 "${curl_options[@]}" "$@" "${api[$site]}$path"
}

reachable() { ask "$1" /patroni >/dev/null 2>&1; }

# The role of the cluster's leader as Patroni lists it: leader, or standby_leader. Nothing while there is none.
leader() { ask "$1" /cluster | grep -o '"role": *"\(leader\|standby_leader\)"' | grep -o 'standby_leader\|leader' | head -n 1; }

# Changes a cluster's dynamic configuration.
configure() { # SITE JSON
    ask "$1" /config --request PATCH --header 'Content-Type: application/json' --data "$2" >/dev/null
}

become_standby_of() { # SITE OTHER
    configure "$1" "{\"standby_cluster\": {\"host\": \"${stream_host[$2]}\", \"port\": $stream_port}}"
}

# Waits until a cluster's leader has a role. Patroni looks once in loop_wait, 10 s by default.
wait_for() { # SITE ROLE SECONDS
    local deadline=$((SECONDS + $3))
    until [ "$(leader "$1" || true)" = "$2" ]; do
        ((SECONDS < deadline)) || return 1
        sleep 1
    done
}
