#!/usr/bin/env bash
# Install the real servers that tests run (Debian packages), where this is root and apt is there.
set -eu
declare -A packages=([cc]=build-essential [mosquitto]=mosquitto [influxd]=influxdb [chromium]=chromium [dbus-daemon]=dbus [nginx]=nginx-light [systemd-analyze]=systemd [docker-compose]=docker-compose)
missing=()
for command in "${!packages[@]}"; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null || missing+=("${packages[$command]}")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing for the tests: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "not installed: ${missing[*]}. The tests that need them are skipped; to run them all:"
  echo "  sudo apt-get install ${missing[*]}"
fi
