#!/bin/sh
# Buckets and tokens of compose.yaml, made where they are not there yet. Results are kept for ever,
# samples for $SAMPLES_KEPT, what the demo writes for a week. forceband's token writes and reads
# these buckets, Grafana's reads them; neither may do anything else.
set -eu

bucket() {
  influx bucket list --name "$1" --hide-headers 2>/dev/null | cut -f 1 || true
}

made() {
  [ -n "$(bucket "$1")" ] || influx bucket create --name "$1" --retention "$2" >/dev/null
  [ -n "$(bucket "$1")" ] || { echo "bucket $1 cannot be made" >&2; exit 1; }
}

token() {
  [ -s "$2" ] && return
  description=$1 file=$2
  shift 2
  influx auth create --description "$description" --json "$@" |
    sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' | tr -d '\n' > "$file.new"
  [ -s "$file.new" ] || { echo "no token for $description" >&2; exit 1; }
  chmod 444 "$file.new"
  mv "$file.new" "$file"
}

made forceband 0
made forceband-samples "$SAMPLES_KEPT"
made demo 7d
influx bucket update --id "$(bucket forceband-samples)" --retention "$SAMPLES_KEPT" >/dev/null

reads='' writes=''
for name in forceband forceband-samples demo; do
  id=$(bucket "$name")
  reads="$reads --read-bucket $id" writes="$writes --write-bucket $id"
done
# shellcheck disable=SC2086  # words on purpose
token forceband /forceband/influx_token $reads $writes
# shellcheck disable=SC2086
token grafana /grafana/influx_token $reads
