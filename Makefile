# `make` alone lists what there is. Everything after `make setup` works offline.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

UV_VERSION := 0.13.9
BIN := .venv/bin
STAMP := .venv/.setup-is-complete
IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup demo serve check test clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## make .venv and install what requirements.lock pins, once

# The stamp comes last: a setup that was interrupted has none and is repeated.
$(STAMP): requirements.lock pyproject.toml
	@rm -f $@
	@$(BIN)/python -c '$(IN_RANGE)' 2> /dev/null || { \
	  for python in $(PYTHON) python3.11 python3.12 python3 none; do \
	    ! $$python -c '$(IN_RANGE)' 2> /dev/null || break; \
	  done; \
	  [ $$python != none ] || { \
	    echo 'setup: found no Python 3.11 or 3.12' >&2; \
	    echo '  fix: install one, or name it: make setup PYTHON=/path/to/python3.11' >&2; exit 1; }; \
	  $$python -m venv --clear .venv; }
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/python -m uv pip install --python $(BIN)/python -r requirements.lock
	$(BIN)/python -m uv pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## run the whole pipeline; what is up to date is not run again
	@$(BIN)/python -m flows.retrain

serve: setup ## serve the model of the last accepted run on http://127.0.0.1:3000
	@$(BIN)/text-recognizer serve

check: setup ## lint, format, types, and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup check ## everything that must hold before a change goes in: check, then every test
	$(BIN)/python -m pytest

clean: ## remove caches and built wheels; data, models, reports and .venv stay
	rm -rf build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist/*.whl dist/*.tar.gz
	find src flows tests -name __pycache__ -prune -exec rm -rf {} +
