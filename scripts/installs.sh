#!/usr/bin/env bash
# Install the wheel bare, with each other Python that is here, and try it; then the tests that differ between them.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip=(-q --disable-pip-version-check)
.venv/bin/python -m pip wheel "${pip[@]}" --no-deps -w "$work" . 2>/dev/null
wheel=$(echo "$work"/forceband-*.whl)
if unzip -p "$wheel" '*/METADATA' | grep -nE '\]\((docs/|[A-Z]+\.md)'; then
  echo "the package index would show links that lead nowhere"
  exit 1
fi
printf 'time_s,force_n\n' > "$work/pull.csv"
.venv/bin/python -c 'for k in range(1600): print(f"{k / 80},{20 + 40 * (k % 160 < 80)}")' >> "$work/pull.csv"

for version in 3.11 3.12 3.13; do
  for python in "python$version" "$HOME"/.pyenv/versions/"$version".*/bin/python3; do
    "$python" -c pass 2>/dev/null && break
  done
  if ! "$python" -c pass 2>/dev/null; then
    echo "Python $version: not on this machine"
    continue
  fi
  environment="$work/$version"
  "$python" -m venv "$environment"
  "$environment/bin/python" -m pip install "${pip[@]}" uv 2>/dev/null
  install=("$environment/bin/uv" pip install -q --python "$environment/bin/python" -c constraints.txt)
  "${install[@]}" "$wheel"
  forceband="$environment/bin/forceband"
  (
    cd "$work"
    "$forceband" analyse pull.csv --json 2>/dev/null | grep -q '"reps"'
    if "$forceband" demo 2> said; then exit 1; fi
    grep -q "pip install 'forceband\[sim\]'" said
  )
  "${install[@]}" "$wheel[all]" hypothesis pytest pytest-timeout pytest-xdist cryptography openpyxl
  FORCEBAND_DATA_DIR="$work/data" "$forceband" demo --duration 5 --mqtt-port 0 --http-port 0 2>/dev/null | grep -q recorded
  echo "Python $version: the wheel works, bare and with all extras"
  if [ "$version" != 3.11 ]; then # which all tests run with
    "$environment/bin/python" -m pytest -m "not slow" -n logical --dist loadfile -p no:cacheprovider "$@"
  fi
done
