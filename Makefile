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

.SECONDARY:
.PHONY: help setup demo serve train-cpu train-gpu pretrained benchmark check test clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

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

# A recipe is trained in a folder of its own, runs/NAME, and leaves the pipeline's work alone. IAM names the archive, and
# BROWN the Brown corpus, for the recipes that count it.
runs/%/data/processed: recipes/%.yaml params.yaml
	@test -f '$(IAM)' || { echo 'train: name the archive of IAM: make train-cpu IAM=/path/to/iamdb.zip' >&2; exit 1; }
	@! grep -q '^ *texts:.*brown.zip' recipes/$*.yaml || test -f '$(BROWN)' || { \
	  echo 'train: recipes/$*.yaml counts the Brown corpus too: name it by BROWN=/path/to/brown.zip' >&2; \
	  echo '  fix: docs/reading.md says where it is had; or take brown.zip out of language.texts there' >&2; exit 1; }
	mkdir -p runs/$*
	text-recognizer params --merge recipes/$*.yaml > runs/$*/params.draft && mv runs/$*/params.draft runs/$*/params.yaml
	ln -sfn '$(abspath $(IAM))' runs/$*/iamdb.zip
	! test -f '$(BROWN)' || ln -sfn '$(abspath $(BROWN))' runs/$*/brown.zip
	cd runs/$* && text-recognizer fetch && text-recognizer validate && text-recognizer preprocess
	@touch $@

runs/%/models/reader: runs/%/data/processed
	cd runs/$* && text-recognizer train

train-cpu: setup runs/cpu/models/reader ## train a smaller reader than the pretrained one, in runs/cpu; stopped, it goes on

train-gpu: setup runs/gpu/models/reader ## train the pretrained reader anew on a GPU, in runs/gpu; stopped, it goes on

RUN := gpu
TRAINED_ON := the training forms of IAM's Aachen split, and any pages drawn beside them, by recipes/$(RUN).yaml; its n-gram also on the texts that are named there
pretrained: setup ## score runs/RUN on the test pages, once it is trained, and make it the pretrained model
	cd runs/$(RUN) && text-recognizer evaluate && text-recognizer gate
	cp runs/$(RUN)/models/reader/{reader.json,reader.onnx,weights.safetensors,language.npz} models/pretrained/
	cp runs/$(RUN)/reports/{score.json,verdict.json} models/pretrained/
	text-recognizer card --model models/pretrained --score models/pretrained/score.json --trained-on "$(TRAINED_ON)"

benchmark: setup ## how fast the parts are, each as a ratio to a reference in the same run
	@$(BIN)/text-recognizer benchmark

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
