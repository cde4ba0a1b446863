#!/bin/sh
# Tells a Fairway what this datacenter says about itself: the report is JSON on standard input.
#
#     report.sh URL CHECK TOKEN_FILE [CA_FILE]
#     echo '{"outcome": "pass", "role": "primary"}' | report.sh https://ns1.example.com:9554 site-says /etc/fairway-report.token
#
# The token is given to curl in a file of its own: what stands on a command line every user of the machine can read.
set -eu
url=$1 check=$2 token_file=$3 ca_file=${4-}

header=$(mktemp)
trap 'rm -f "$header"' EXIT
printf 'Authorization: Bearer %s\n' "$(cat "$token_file")" > "$header"

# 3 s: a report that comes later than that is better told anew. --data-binary @-: the report as it is.
curl --silent --show-error --fail-with-body --max-time 3 ${ca_file:+--cacert "$ca_file"} \
    --header @"$header" --header 'Content-Type: application/json' --data-binary @- "$url/v1/push/$check"
