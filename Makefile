# `make` alone lists what there is. Everything after `make setup` works offline.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

UV_VERSION := 0.13.9
BIN := .venv/bin
STAMP := .venv/.setup-is-complete
IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))
# Two processes, one CPU thread each: what takes longest starts first.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

export PATH := $(CURDIR)/$(BIN):$(PATH)

.SECONDARY:
.PHONY: help setup demo serve up down train-cpu train-gpu pretrained benchmark benchmark-peers benchmark-robustness benchmark-nothing docs check types layers lint links test every-test test-fast clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-20s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## make .venv and install what requirements.lock pins, once (7 GB, most of it torch with CUDA)

# The stamp is written last, so that an interrupted setup is repeated.
# Python compiles the packages here, once, and not in the first start of every command and test process.
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
	@echo "setup: installs training, pipeline and tests, 7 GB; torch with its CUDA libraries is most of that."
	@echo "setup: to read pictures alone, 430 MB are enough: pip install . in a virtual environment"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/python -m uv pip install --compile-bytecode --python $(BIN)/python -r requirements.lock
	$(BIN)/python -m uv pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

RECIPE :=
demo: setup ## run the whole pipeline; stages that are up to date are skipped; RECIPE=sample puts recipes/sample.yaml into params.yaml
	@test -z '$(RECIPE)' || { \
	  $(BIN)/text-recognizer params --merge 'recipes/$(RECIPE).yaml' > .params.draft && mv .params.draft params.yaml; }
	@$(BIN)/python -m flows.retrain

serve: setup ## serve the model of the last accepted run on http://127.0.0.1:3000
	@$(BIN)/text-recognizer serve

# Where `make up` listens, on this machine only. Prefect's database is in the clone, so that two clones do not mix.
export UP_BIN := $(CURDIR)/$(BIN)
export UP_SERVER_PORT ?= 4200
export UP_SERVICE_PORT ?= 3000
export UP_REPORTS_PORT ?= 4300
SUPERVISED := PREFECT_HOME='$(CURDIR)/.cache/up/prefect' PREFECT_API_URL=http://127.0.0.1:$(UP_SERVER_PORT)/api \
  TEXT_RECOGNIZER_REPORTS_URL=http://127.0.0.1:$(UP_REPORTS_PORT)

up: setup ## start Prefect's server, a worker, the deployments and the service, and keep them running
	@mkdir -p .cache/up reports
	@$(SUPERVISED) $(BIN)/supervisord -c deploy/supervisord.conf
	@$(SUPERVISED) $(BIN)/python -m flows.setup

down: ## end what `make up` started; a training writes a checkpoint first
	@$(BIN)/supervisorctl -c deploy/supervisord.conf shutdown
	@while test -e .cache/up/supervisord.pid; do sleep 0.5; done

# A recipe is trained in a folder of its own, runs/NAME, so that the pipeline's results stay. IAM names the archive, BROWN
# the Brown corpus for the recipes that use it.
runs/%/data/processed: recipes/%.yaml params.yaml
	@test -f '$(IAM)' || { echo 'train: name the archive of IAM: make train-cpu IAM=/path/to/iamdb.zip' >&2; exit 1; }
	@! grep -q '^ *texts:.*brown.zip' recipes/$*.yaml || test -f '$(BROWN)' || { \
	  echo 'train: recipes/$*.yaml uses the Brown corpus too: name it by BROWN=/path/to/brown.zip' >&2; \
	  echo '  fix: docs/reading.md says where to get it; or take brown.zip out of language.texts there' >&2; exit 1; }
	mkdir -p runs/$*
	text-recognizer params --merge recipes/$*.yaml > runs/$*/params.draft && mv runs/$*/params.draft runs/$*/params.yaml
	ln -sfn '$(abspath $(IAM))' runs/$*/iamdb.zip
	! test -f '$(BROWN)' || ln -sfn '$(abspath $(BROWN))' runs/$*/brown.zip
	cd runs/$* && text-recognizer fetch && text-recognizer find-lines && text-recognizer validate && text-recognizer preprocess
	@touch $@

runs/%/models/reader: runs/%/data/processed
	cd runs/$* && text-recognizer train

train-cpu: setup runs/cpu/models/reader ## train a smaller reader than the pretrained one, in runs/cpu; repeat it to resume

train-gpu: setup runs/gpu/models/reader ## train the pretrained reader on a GPU, in runs/gpu; repeat it to resume

RUN := gpu
TRAINED_ON := the training forms of IAM's Aachen split, and any synthetic pages added to them, by recipes/$(RUN).yaml; its language model also on the texts that are named there
pretrained: setup ## score runs/RUN on the test pages, once it is trained, and make it the pretrained model
	cd runs/$(RUN) && text-recognizer evaluate && text-recognizer gate
	cp runs/$(RUN)/models/reader/{reader.json,reader.onnx,weights.safetensors,language.npz} models/pretrained/
	cp runs/$(RUN)/reports/{score.json,verdict.json} models/pretrained/
	text-recognizer card --model models/pretrained --score models/pretrained/score.json --trained-on "$(TRAINED_ON)"

benchmark: setup ## time the parts, each as a ratio to a reference in the same run
	@$(BIN)/text-recognizer benchmark

# RapidOCR has an environment of its own, because it brings another build of OpenCV.
PEERS := .venv-peers
RAPIDOCR := rapidocr==3.10.0 onnxruntime==1.32.0 opencv-python-headless==5.0.0.93
$(PEERS)/.setup-is-complete: Makefile | $(STAMP)
	$(BIN)/python -m uv venv --quiet --clear --python $(BIN)/python $(PEERS)
	echo "opencv-python; sys_platform == 'none'" > $(PEERS)/overrides.txt
	$(BIN)/python -m uv pip install --quiet --python $(PEERS)/bin/python --override $(PEERS)/overrides.txt $(RAPIDOCR)
	@touch $@

PAGES :=
OPTIONS := $(if $(LIST),--list '$(LIST)') $(if $(SPLIT),--split '$(SPLIT)') $(if $(NO_WRITING),--no-writing)
benchmark-peers: setup $(PEERS)/.setup-is-complete ## compare with RapidOCR and Tesseract on PAGES, a folder of pictures with texts; needs the network once
	@test -n '$(PAGES)' || { \
	  echo 'benchmark-peers: name a folder of pictures with a .txt each: make benchmark-peers PAGES=/path/to/folder' >&2; \
	  exit 1; }
	@OMP_NUM_THREADS=1 $(BIN)/python -m text_recognizer.benchmarks.peers '$(PAGES)' $(OPTIONS) --rapidocr $(PEERS)/bin/python

benchmark-robustness: setup ## read pages that are scaled, turned, blurred and so on: those of PAGES, or drawn ones
	@OMP_NUM_THREADS=1 $(BIN)/python -m text_recognizer.benchmarks.page_robustness $(if $(PAGES),'$(PAGES)') $(if $(LIST),--list '$(LIST)')

benchmark-nothing: setup ## count what is read on pictures without writing: those of PAGES, or drawn ones
	@OMP_NUM_THREADS=1 $(BIN)/python -m text_recognizer.benchmarks.no_writing $(if $(PAGES),'$(PAGES)') $(if $(LIST),--list '$(LIST)')

# Without --quiet: with it, MkDocs counts no warnings, and --strict lets them pass. The variable silences the theme's news.
export NO_MKDOCS_2_WARNING := 1

docs: setup ## build the documents as a site, in site/, and check every link; needs no network, and neither does the site
	@$(BIN)/mkdocs build --strict
	@echo 'docs: open site/index.html'

check: setup ## lint, format, types, the layers of the imports, and the links of the documents, two at a time
	@$(MAKE) --no-print-directory --jobs 2 --output-sync types layers lint links

types:
	$(BIN)/mypy

layers:
	$(BIN)/lint-imports

links:
	$(BIN)/mkdocs build --strict --site-dir .cache/site

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# mypy runs beside the tests: while they wait for what they start, a core is free.
test: setup ## everything that must hold before a change goes in: check, and every test
	@$(MAKE) --no-print-directory layers lint
	@$(MAKE) --no-print-directory --jobs 2 types every-test

every-test:
	$(PYTEST)

test-fast: setup ## the tests for daily work, without the slow ones
	$(PYTEST) -m "not slow"

clean: ## remove caches, built wheels and the site; data, models, reports and .venv stay
	rm -rf build site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist/*.whl dist/*.tar.gz
	find src flows tests -name __pycache__ -prune -exec rm -rf {} +
