# On a fresh machine only Python >= 3.11, make and a network are needed: every target that needs
# packages makes .venv first, from the lock files in requirements/, whose hashes pip checks.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUN    := PYTHONDONTWRITEBYTECODE=1 $(BIN)/python

SEEDS   ?= 2000
KILLS   ?= 30
MINUTES ?= 30
PORT    ?= 8080
PYTEST  ?=

CHECKED := $(wildcard src tests benchmarks tools)

.DEFAULT_GOAL := help
.PHONY: help demo test check format simulate mutants chaos soak bench docs serve lock notices reference messages screenshots build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo ## The main job: a hub, a CardDAV server and a shop database, kept in step
	$(BIN)/twofold demo

test: $(VENV)/.test check ## Everything: the checks, then all tests, with the real servers they need
	@bash tools/need_mariadb.sh
	@bash tools/need_chromium.sh
	@echo "make test: all tests"
	$(RUN) -m pytest $(PYTEST)

check: $(VENV)/.test ## Lint, format, types, layers, size budgets, spelling, licenses, leaks
	@echo "make check: lint and format"
	@$(BIN)/ruff check $(CHECKED)
	@$(BIN)/ruff format --check $(CHECKED)
	@echo "make check: types"
	@$(BIN)/mypy --strict $(CHECKED)
	@echo "make check: layers"
	@$(BIN)/lint-imports
	@echo "make check: spelling"
	@$(BIN)/codespell
	@echo "make check: licenses"
	@$(RUN) -m tools.licenses check
	@echo "make check: leaks"
	@$(RUN) -m tools.leaks
	@echo "make check: size budgets and structure"
	@$(RUN) -m pytest -q tests/architecture

format: $(VENV)/.test ## Format the code and apply the lint rules' safe fixes
	$(BIN)/ruff format $(CHECKED)
	$(BIN)/ruff check --fix $(CHECKED)

simulate: $(VENV)/.test ## SEEDS=n histories of edits, faults and crashes on simulated time
	$(RUN) -m tests.simulation --seeds $(SEEDS)

mutants: $(VENV)/.test ## Break one rule at a time: a quick test must notice each
	$(RUN) -m tests.mutants

chaos: $(VENV)/.test ## KILLS=n times kill -9 of a real run at a random moment, then check
	TWOFOLD_KILLS=$(KILLS) $(RUN) -m tests.chaos

bench: $(VENV)/.test ## Speed and memory against a floor program; one verdict per figure
	$(RUN) -m benchmarks

soak: $(VENV)/.test ## MINUTES=n of the service on real servers, with edits everywhere and faults
	$(RUN) -m tests.soak --minutes $(MINUTES)

docs: $(VENV)/.test ## The documentation site, in build/docs
	@$(RUN) -m tools.website

serve: $(VENV)/.demo ## The service over a small demo's data, on PORT=8080
	@[ -f .serve/state.db ] || $(BIN)/twofold demo --small --data .serve
	$(BIN)/twofold up --data .serve --port $(PORT)

lock: $(VENV)/.test ## Resolve the dependencies again: requirements/*.txt and the notices
	$(BIN)/python -m tools.lock
	$(MAKE) notices

notices: $(VENV)/.test ## Write THIRD_PARTY_NOTICES.md from the lock
	$(RUN) -m tools.licenses notices

reference: $(VENV)/.test ## Write docs/reference/ from the code
	$(RUN) -m tools.reference

messages: $(VENV)/.test ## Collect the pages' messages into src/twofold/web/locale
	$(RUN) -m tools.messages

screenshots: $(VENV)/.test ## Pictures of the pages, from a real service, in docs/images
	@bash tools/need_chromium.sh
	$(RUN) -m tests.web.pictures

build: $(VENV)/.test ## The wheel and the source archive, in dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation

clean: ## Remove everything that make made
	rm -rf $(VENV) build dist .demo .serve .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "setup: a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "venv is missing: on Debian, apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	@echo "setup: what the demo needs, from requirements/demo.txt"
	@$(PIP) --require-hashes -r requirements/demo.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/test.txt pyproject.toml | $(VENV)/bin/python
	@echo "setup: what the tests need, from requirements/test.txt (a few minutes the first time)"
	@$(PIP) --require-hashes -r requirements/test.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
