#!/usr/bin/env bash
# Run the tests of Home Assistant with a real one, kept between runs in an environment of its own.
set -eu
# what pip gives Python 3.13; paho-mqtt is all that its MQTT integration asks for besides
pins="homeassistant==2025.4.4 paho-mqtt==2.1.0"
folder="${XDG_CACHE_HOME:-$HOME/.cache}/forceband/homeassistant-$(echo "$pins" | sha256sum | head -c 12)"

find_python() {
  for each in python3.13 "$HOME"/.pyenv/versions/3.13.*/bin/python3.13; do
    "$each" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo "$each" && return
  done
}

if [ -z "${HASS:-}" ] && [ ! -e "$folder/complete" ]; then
  python=$(find_python) || true
  if [ -z "$python" ]; then
    echo "tests of Home Assistant not run: they need Python 3.13 beside the project's own, or HASS=.../bin/hass"
    exit 0
  fi
  echo "installing Home Assistant (600 MB, some minutes the first time) in $folder ..."
  "$python" -m venv --clear "$folder"
  "$folder/bin/python" -m pip install -q --disable-pip-version-check uv 2>/dev/null
  # shellcheck disable=SC2086  # two requirements
  "$folder/bin/uv" pip install -q --python "$folder/bin/python" $pins
  touch "$folder/complete"
fi
HASS="${HASS:-$folder/bin/hass}" exec "$@" tests/homeassistant
