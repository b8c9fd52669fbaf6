# The commands of this project. `make` alone lists them.
# Needs Python 3.11 or newer, make and git; the rest is fetched into .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv
ARGS   ?=
T      ?= tests
WORKERS ?= auto

UV_VERSION := 0.13.9
READY      := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup browser demo serve test check faults fuzz mutants races outages soak bench bench-events bench-billing bench-lists format openapi lock

##@ Start
setup: $(READY) ## Make .venv and install everything that is locked
	@echo "setup: ready in $(VENV). Next: make demo, or make test."

demo: $(READY) ## Start everything with a catalog to look at (ARGS="--once --data-dir DIR")
	@$(BIN)/tallystick demo $(ARGS)

serve: $(READY) ## Serve on http://127.0.0.1:8484 (ARGS="--port 9000")
	@$(BIN)/tallystick serve $(ARGS)

##@ Test and measure
# The browser's driver keeps an event loop running in its process, where no other test can run.
# The tests start the program often: what it was compiled to is kept, whatever the shell says.
test: export PYTHONDONTWRITEBYTECODE =
test: $(READY) browser ## Run every test (T=tests/domain for some of them)
	@if [ "$(T)" = tests ]; then \
	  $(BIN)/python -m pytest -n $(WORKERS) tests --ignore=tests/browser $(ARGS) \
	  && $(BIN)/python -m pytest -n $(WORKERS) tests/browser $(ARGS); \
	else $(BIN)/python -m pytest -n $(WORKERS) $(T) $(ARGS); fi \
	  && echo "test: all passed." || { echo "test: FAILED, see above." >&2; exit 1; }

browser: $(READY) ## Find or install a Chromium for the tests of the pages
	@$(BIN)/python scripts/install_browser

faults: $(READY) ## Fail at every step of every story about money (ARGS="--sample=200 --seed=1")
	@$(BIN)/python scripts/faults $(ARGS)

fuzz: $(READY) ## Send the API what its document allows, and what not (ARGS="--examples=500 --seed=1")
	@$(BIN)/python scripts/fuzz $(ARGS)

mutants: $(READY) ## Change the rules of money on purpose (ARGS="money tax --sample 20")
	@$(BIN)/python scripts/mutants $(ARGS)

races: $(READY) ## Let hundreds do the same at once (ARGS="--racers=500 --rounds=5 --seed=1")
	@$(BIN)/python scripts/races $(ARGS)

outages: $(READY) ## Let the database go away under load (ARGS="--times=20 --only=disk")
	@$(BIN)/python scripts/outages $(ARGS)

soak: $(READY) ## Ten minutes of everything while everything is killed (ARGS="--minutes=3 --seed=1")
	@$(BIN)/python scripts/soak $(ARGS)

bench: $(READY) ## Measure PostgreSQL and the product in one run, and print the ratio
	@$(BIN)/tallystick bench $(ARGS)

bench-events: $(READY) ## Measure the ingestion of events against the bare COPY of them
	@$(BIN)/tallystick bench-events $(ARGS)

bench-billing: $(READY) ## Measure the renewal of 100,000 subscriptions
	@$(BIN)/tallystick bench-billing $(ARGS)

bench-lists: $(READY) ## Measure lists and searches with a million of everything
	@$(BIN)/tallystick bench-lists $(ARGS)

##@ Keep in order
check: $(READY) ## Style, types, floors, locked packages and OpenAPI document
	@scripts/check && echo "check: all in order." \
	  || { echo "check: FAILED, see above." >&2; exit 1; }

format: $(READY) ## Put the code into the one format
	@$(BIN)/ruff check -q --fix-only . && $(BIN)/ruff format .

openapi: $(READY) ## Write docs/openapi.json anew
	@$(BIN)/tallystick openapi > docs/openapi.json.new
	@mv docs/openapi.json.new docs/openapi.json && echo "openapi: docs/openapi.json is current."

lock: $(READY) ## Write requirements.lock anew after a change of pyproject.toml (ARGS=--upgrade)
	@$(BIN)/python scripts/lock_file write $(ARGS)

##@ Help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo

# Made again when what it depends on changes; otherwise nothing runs.
$(READY): requirements.lock pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "setup: Python 3.11 or newer is needed; say which: make setup PYTHON=python3.12" >&2; \
	  exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/uv --version 2>/dev/null | grep -q " $(UV_VERSION)" \
	  || $(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@$(UV) pip install -q --require-hashes -r requirements.lock
	@$(UV) pip install -q --no-deps --no-build-isolation -e .
	@touch $(READY)
