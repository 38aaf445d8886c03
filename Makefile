# Slipstream. `make help` lists the targets. Needs make, Python 3.11 or newer and a package index.

PYTHON ?= python3
# Tests of processes wait more than they work: two more than a small machine has cores; campaigns,
# which kill and measure, one more.
FEWER := $(or $(WORKERS),3)
WORKERS ?= 4
PYTEST_ARGS ?=
DAYS ?= 1000
SEED ?= 1
JOBS ?= 1
FIGURES ?=
ROUNDS ?= 5
STUDIES ?=
DATA ?= ../shared/data
KILLS ?= 200
REQUESTS ?= 20000
HOUSES ?= 1
CHAIN ?=
VERSION ?= 15
BIN := .venv/bin

# Tests start a thousand processes: compiled once, not by each.
unexport PYTHONDONTWRITEBYTECODE

# The requirements are installed only as locked (hashes). The project itself is installed editable:
# that gives .venv/bin/slipstream and always runs the source that lies here. setuptools, which the
# editable install needs, is locked with the rest, so no unlocked build environment is downloaded.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL_PROJECT := $(INSTALL) --no-deps --no-build-isolation --editable .

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo run test lint imports types pytest again simulate chaos bench study bench-peers format lock clean debian \
	external failpoints planted clients campaigns fuzz

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: .venv/runtime.stamp ## Show the whole thing at work, with nothing to set up
	$(BIN)/slipstream demo

run: .venv/runtime.stamp ## Start the server
	$(BIN)/slipstream serve

test: lint imports types pytest ## Lint, imports, types, tests: all but the campaigns

lint: .venv/dev.stamp ## Style and formatting (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

imports: .venv/dev.stamp ## Who may import whom (import-linter)
	$(BIN)/lint-imports

types: .venv/dev.stamp ## Types (mypy, strict)
	$(BIN)/mypy

pytest: .venv/dev.stamp ## Tests; PYTEST_ARGS='-k name' chooses, WORKERS=0 runs in one process
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --durations=10 -m "not campaign" \
		$(PYTEST_ARGS)

again: .venv/dev.stamp ## Once more, alone, what failed last; five tests at most, two tries
	$(BIN)/python -m tests.again

campaigns: .venv/dev.stamp ## Tests that take minutes: every crash point, short chaos, each figure
	$(BIN)/python -m pytest -n $(FEWER) --dist loadfile --durations=10 -m campaign $(PYTEST_ARGS)

# What asks for a database: store, engine, API, audit, commands, houses, crash points, a short chaos
# campaign. What asks for none (domain, simulation, feeds, brokers), and what is about the embedded
# server (marked `embedded`), is deselected: tests/conftest.py.
external: .venv/dev.stamp ## The tests on Debian's PostgreSQL VERSION=15 instead of the embedded one
	SLIPSTREAM_TEST_POSTGRES=$(VERSION) $(BIN)/python -m pytest -n $(FEWER) --dist loadfile \
		--durations=10 $(PYTEST_ARGS)

# Each in a folder of its own, under the environment: what they need is there already, in the versions
# of the development lock.
CLIENTS := $(patsubst tests/compat/versions/%.txt,.venv/alpaca-py/%.stamp,$(wildcard tests/compat/versions/*.txt))

clients: $(CLIENTS) ## Older releases of alpaca-py, with which the Alpaca surface is tried as well

.venv/alpaca-py/%.stamp: tests/compat/versions/%.txt | .venv/dev.stamp
	$(INSTALL) --require-hashes --no-deps --upgrade --target .venv/alpaca-py/$* -r $<
	@touch $@

simulate: .venv/dev.stamp ## The pure core through seeded days full of faults; DAYS=n SEED=s JOBS=j
	$(BIN)/python -m tests.simulation --days $(DAYS) --seed $(SEED) --jobs $(JOBS)

bench: .venv/dev.stamp ## The figures of docs/performance.md; FIGURES='accept fanout' chooses, ROUNDS=5
	$(BIN)/python -m bench $(FIGURES) --rounds $(ROUNDS)

study: .venv/dev.stamp ## Execution quality on real tapes; STUDIES='placement urgency' chooses, DATA=folder
	$(BIN)/python -m bench.studies $(STUDIES) --data $(DATA)

bench-peers: .venv/dev.stamp .venv/peers.stamp ## One order on a million quotes, theirs and ours
	$(BIN)/python -m bench.peers --rounds $(ROUNDS)

# An environment of its own: what a peer needs is not what we need.
.venv/peers.stamp: bench/peers/requirements.txt | .venv/dev.stamp
	$(BIN)/python -m venv --clear .venv/peers
	.venv/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

fuzz: .venv/dev.stamp ## Requests made up from the API page, against the real server; REQUESTS=n SEED=s
	$(BIN)/python -m tests.fuzz --requests $(REQUESTS) --seed $(SEED)

chaos: .venv/dev.stamp ## Kill processes mid-order, then audit; KILLS=n SEED=s HOUSES=h CHAIN=1
	$(BIN)/python -m tests.chaos $(if $(CHAIN),--chain) --kills $(KILLS) --seed $(SEED) --houses $(HOUSES)

failpoints: .venv/dev.stamp ## Kill a process at every place of the order path, ROUNDS times
	$(BIN)/python -m tests.failpoints --rounds $(if $(filter command%,$(origin ROUNDS)),$(ROUNDS),1)
	$(BIN)/python -m tests.failpoints --frozen

planted: .venv/dev.stamp ## Plant wrong versions of the product: the tests must catch each
	$(BIN)/python -m tests.planted

format: .venv/dev.stamp ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/runtime.stamp ## Recompile requirements*.txt; UPGRADE=--upgrade takes newer versions
	$(INSTALL) uv
	$(COMPILE) --extra build --output-file requirements.txt
	$(COMPILE) --extra build --extra dev --constraints requirements.txt --output-file requirements-dev.txt

clean: ## Remove the virtual environment and every cache
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

DEBIAN_PACKAGES := postgresql valgrind

debian: ## Install the Debian packages that some tests use
	@if ! command -v apt-get >/dev/null; then \
		echo "No apt-get here: install by hand what these Debian packages give: $(DEBIAN_PACKAGES)."; \
	elif [ "$$(id -u)" != 0 ]; then \
		echo "Not root: run 'sudo make debian' to install $(DEBIAN_PACKAGES)."; \
	else \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $(DEBIAN_PACKAGES); \
	fi

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Slipstream needs Python 3.11 or newer and '$(PYTHON)' is not: try make PYTHON=/path/to/python3.11."; \
		exit 1; }
	$(PYTHON) -m venv .venv

.venv/runtime.stamp: requirements.txt pyproject.toml | .venv/bin/python
	$(INSTALL) --require-hashes -r requirements.txt
	$(INSTALL_PROJECT)
	@touch $@

# The development lock holds the runtime lock, so this one serves both.
.venv/dev.stamp: requirements-dev.txt requirements.txt pyproject.toml | .venv/bin/python
	$(INSTALL) --require-hashes -r requirements-dev.txt
	$(INSTALL_PROJECT)
	@touch .venv/runtime.stamp $@
