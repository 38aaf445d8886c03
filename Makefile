# Slipstream. `make help` lists the targets. Needs make, Python 3.11 or newer and a package index.

PYTHON ?= python3
WORKERS ?= 2
PYTEST_ARGS ?=
DAYS ?= 1000
SEED ?= 1
JOBS ?= 1
FIGURES ?=
ROUNDS ?= 5
KILLS ?= 200
HOUSES ?= 1
BIN := .venv/bin

# The requirements are installed only as locked (hashes). The project itself is installed editable:
# that gives .venv/bin/slipstream and always runs the source that lies here. setuptools, which the
# editable install needs, is locked with the rest, so no unlocked build environment is downloaded.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL_PROJECT := $(INSTALL) --no-deps --no-build-isolation --editable .

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo run test lint imports types pytest simulate chaos bench format lock clean debian \
	failpoints planted

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/runtime.stamp ## Show the whole thing at work, with nothing to set up
	$(BIN)/slipstream demo

run: .venv/runtime.stamp ## Start the server
	$(BIN)/slipstream serve

test: lint imports types pytest ## Everything CI checks: lint, imports, types, tests

lint: .venv/dev.stamp ## Style and formatting (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

imports: .venv/dev.stamp ## Who may import whom (import-linter)
	$(BIN)/lint-imports

types: .venv/dev.stamp ## Types (mypy, strict)
	$(BIN)/mypy

pytest: .venv/dev.stamp ## Tests; PYTEST_ARGS='-k name' chooses, WORKERS=0 runs in one process
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --durations=10 $(PYTEST_ARGS)

simulate: .venv/dev.stamp ## The pure core through seeded days full of faults; DAYS=n SEED=s JOBS=j
	$(BIN)/python -m tests.simulation --days $(DAYS) --seed $(SEED) --jobs $(JOBS)

bench: .venv/dev.stamp ## The figures of docs/performance.md; FIGURES='accept fanout' chooses, ROUNDS=5
	$(BIN)/python -m bench $(FIGURES) --rounds $(ROUNDS)

chaos: .venv/dev.stamp ## Kill processes mid-order, then audit; KILLS=n SEED=s HOUSES=h
	$(BIN)/python -m tests.chaos --kills $(KILLS) --seed $(SEED) --houses $(HOUSES)

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

DEBIAN_PACKAGES := postgresql

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
