#!/bin/sh
# A random secret for each name that .env.example asks for: sh deploy/secrets.sh > .env
set -eu
umask 077
cd "$(dirname "$0")/.."
sed -n 's/^\([A-Z_]*\)=$/\1/p' .env.example | while read -r name; do
  printf '%s=%s\n' "$name" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
done
