# Everything here works on a fresh machine that has only python3 (3.11 or newer) with venv, and make.

SHELL      := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON     ?= python3
BIN        := .venv/bin
READY      := .venv/.ready
PEERS      := .venv-bench/.ready
DEMO       := demo-out

.PHONY: help demo test lint bench docs soak clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    active learning on the embedded images, with a report (about three minutes)"
	@echo "make test    all tests"
	@echo "make lint    style, types and import directions"
	@echo "make bench   speed and memory, side by side with other packages"
	@echo "make docs    regenerate the reference and check every link"
	@echo "make soak    many random crashes of benchmarks, predictions, the labelling server and its trainer: nothing may be lost"

demo: $(READY)
	$(BIN)/pickem benchmark demo --profile demo --strategies random,entropy --out $(DEMO)
	$(BIN)/pickem report $(DEMO)
	@echo "Open $(DEMO)/report/report.html in a browser."

test: $(READY) chromium
	$(BIN)/python -m pytest -m "not soak"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) $(PEERS)
	for name in training selection monte_carlo volumes objects; do $(BIN)/python -m benchmarks.$$name; done

docs: $(READY)
	$(BIN)/python docs/generate_cli_reference.py
	$(BIN)/python -m pytest -q tests/docs

soak: $(READY)
	$(BIN)/python -m pytest -m soak

clean:
	rm -rf .venv .venv-bench $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# torch first and alone: a resolver let loose on it together with everything else can take very long.
$(READY): requirements-torch.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pickem needs Python 3.11 or newer; $$($(PYTHON) --version) was found. Try: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements-torch.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(PEERS): requirements-torch.txt benchmarks/requirements-peers.txt
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --requirement requirements-torch.txt
	.venv-bench/bin/python -m pip install --quiet --requirement benchmarks/requirements-peers.txt
	.venv-bench/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The pages are tested in a real Chromium. Debian's package is installed where that is possible without asking.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	  elif sudo -n true 2>/dev/null; then sudo apt-get update -qq && sudo apt-get install -y -qq chromium >/dev/null; \
	  fi; }
	@command -v chromium >/dev/null || { \
	  echo "The tests of the pages need Chromium. Install it, on Debian with: sudo apt-get install chromium"; exit 1; }
