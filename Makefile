# Two commands do the main jobs: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
export UV_PYTHON_DOWNLOADS ?= never

.PHONY: help demo test lint prove mutants bench screenshots test-bluez test-homeassistant test-install servers clean

help:
	@echo "make demo    try it: simulated band on a virtual radio, broker, live page"
	@echo "make test    lint, types and the fast tests: some minutes"
	@echo "make prove   the long proofs: faults, kills, hours of session"
	@echo "make mutants small faults in the modules of reliability: which do the fast tests notice?"
	@echo "make bench   benchmarks, as ratios to a yardstick of the same run"

demo: $(VENV)/.run
	@$(BIN)/forceband demo

test: $(VENV)/.dev servers lint
	$(BIN)/pytest -m "not slow" -n logical --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

prove: $(VENV)/.dev servers
	$(BIN)/pytest -m slow --timeout 2400 -n logical --dist load
	@$(BIN)/python -m tests.bluez.vm.run --if-quick

mutants: $(VENV)/.dev
	$(BIN)/python -m benchmarks.mutants

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.replay
	$(BIN)/python -m benchmarks.cost
	$(BIN)/python -m benchmarks.files

screenshots: $(VENV)/.dev
	$(BIN)/python -m scripts.screenshots
	$(BIN)/python -m scripts.pictures

test-bluez: $(VENV)/.dev
	$(BIN)/python -m tests.bluez.vm.run

# tests whose outcome depends on the Python: the loop, TLS, SQLite, the command line
OTHER_PYTHONS := tests/sensor/ble/test_source.py tests/sensor/recording tests/pipeline/session \
  tests/pipeline/delivery tests/pipeline/sinks/mqtt/test_security.py tests/sensor/test_extras.py

test-install: $(VENV)/.dev servers
	@bash scripts/installs.sh $(OTHER_PYTHONS)

test-homeassistant: $(VENV)/.dev servers
	@bash scripts/homeassistant.sh $(BIN)/pytest

# The servers that tests run for real. Without root the tests that lack theirs are skipped and say so.
servers:
	@bash scripts/servers.sh

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "forceband needs Python 3.11 or newer; '$(PYTHON)' is not. Try: make PYTHON=python3.12"; exit 1; }
	@$(if $(UV),$(UV) venv -q --allow-existing --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV)) || \
	  { echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.python pyproject.toml constraints.txt
	@echo "making the environment (about a minute the first time) ..."
	@$(if $(UV),$(UV) pip install -q --python $(BIN)/python,$(BIN)/python -m pip install -q --disable-pip-version-check) -c constraints.txt -e '.[all]'
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	@echo "making the environment (about a minute the first time) ..."
	@$(if $(UV),$(UV) pip install -q --python $(BIN)/python,$(BIN)/python -m pip install -q --disable-pip-version-check) -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
