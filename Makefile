# Two commands do everything: `make refresh` and `make test`. Whatever they need is made on the way.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# uv of the lock, itself installed with its hashes; it installs the rest, with bytecode (GX imports twice as fast).
UV := $(BIN)/uv

.PHONY: help refresh test test-long ui check format lock clean
help:  ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | column -t -s:

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Junheng needs Python 3.11 or later; set PYTHON, e.g. make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "python3 cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	@echo "installing from requirements.lock ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	@VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q assets expectations pipelines resources returns sandbox warehouse
	@touch $@

refresh: .venv/installed  ## install what is missing, then refresh the warehouse from the sandbox platforms
	@$(BIN)/junheng refresh --sandbox

test: .venv/installed  ## every test but the long ones, against the embedded PostgreSQL and the sandbox
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long"

test-long: .venv/installed  ## the long tests too
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

ui: .venv/installed  ## the Dagster UI on http://127.0.0.1:3000, with daemon and sandbox; Ctrl-C ends them all
	@exec $(BIN)/junheng ui

check: .venv/installed  ## format, lint, types, import contract, generated files
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m docs.generate --check

format: .venv/installed  ## format and mend what can be mended, and make generated files anew
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/python -m docs.generate

lock: .venv/installed  ## resolve the newest versions anew into requirements.lock
	@$(UV) pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url \
	  --no-header --upgrade pyproject.toml --output-file requirements.lock

clean:  ## stop the embedded PostgreSQL and remove what was made here, data included
	@-test -x $(BIN)/junheng && $(BIN)/junheng db stop
	@rm -rf .venv var
