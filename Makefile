# opsloom: every everyday command. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV      := .venv
BIN       := $(VENV)/bin
STAMP     := $(VENV)/.set-up
UV_PIN    := 0.13.9
UV        := $(BIN)/python -m uv --quiet
CANDIDATES := python3.11 python3.12 python3.13 python3.14 python3

HOUSE   := $(wildcard schemas streams registry agents sinks regression web cli packs opsloom)
CHECKED := $(HOUSE) $(wildcard tests benchmarks examples dashboards)

PYTEST_ARGS ?=
TEST_JOBS   ?= 2
DEMO_ARGS   ?=
BENCH_ARGS  ?=

.PHONY: help setup demo test test-kafka chaos fuzz lint format bench lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv with everything locked (does nothing when it is up to date)

$(STAMP): pyproject.toml requirements.lock
	@set -eu; \
	rm -f $(STAMP); \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    chosen=; \
	    for candidate in $${PYTHON:-} $(CANDIDATES); do \
	        if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	            chosen=$$candidate; break; \
	        fi; \
	    done; \
	    if [ -z "$$chosen" ]; then \
	        echo "make setup: Python 3.11 or newer is needed and was not found; install it," \
	             "or name it: make setup PYTHON=/path/to/python3.11" >&2; \
	        exit 1; \
	    fi; \
	    echo "Creating $(VENV) with $$($$chosen --version)"; \
	    rm -rf $(VENV); \
	    if ! $$chosen -m venv $(VENV) 2>/dev/null; then \
	        rm -rf $(VENV); \
	        echo "make setup: $$chosen cannot create a virtual environment; install its venv module" \
	             "(Debian: apt install python3-venv)" >&2; \
	        exit 1; \
	    fi; \
	fi; \
	echo "Installing the locked packages (about 1.6 GB the first time)"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_PIN); \
	$(UV) pip sync --python $(BIN)/python --require-hashes requirements.lock; \
	$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	touch $(STAMP)

demo: setup ## ask this machine real questions and print the answers
	@$(BIN)/opsloom demo $(DEMO_ARGS)

test: setup ## unit, contract and stream tests on the embedded broker
	@$(BIN)/python -m pytest --broker embedded -n $(TEST_JOBS) --dist loadfile $(PYTEST_ARGS)

# What lies behind the broker is the same on both: these files are left to `make test`.
BROKERLESS := $(addprefix tests/stream/test_,wiring.py errors_leak_nothing.py canaries.py \
    outbound_tools.py sql_engines.py http_page.py language_model.py datasets.py)
KAFKA_TESTS := tests/contract/test_broker_promises.py $(filter-out $(BROKERLESS),$(wildcard tests/stream/test_*.py))

test-kafka: setup ## the stream tests on a real Apache Kafka (needs Java 17 and Maven)
	@$(BIN)/python -m pytest --broker kafka $(PYTEST_ARGS) $(KAFKA_TESTS)

lint: setup ## ruff, formatting, mypy --strict, import contracts (all four, even if one complains)
	@code=0; \
	$(BIN)/ruff check $(CHECKED) || code=1; \
	$(BIN)/ruff format --check $(CHECKED) || code=1; \
	$(BIN)/mypy $(HOUSE) || code=1; \
	$(BIN)/lint-imports || code=1; \
	exit $$code

format: setup ## let ruff format and fix what it can
	@$(BIN)/ruff check --fix $(CHECKED)
	@$(BIN)/ruff format $(CHECKED)

chaos: setup ## minutes of kills and outages on a real Apache Kafka
	@$(BIN)/python -m pytest --broker kafka -m chaos --timeout 1800 $(PYTEST_ARGS) tests/stream

fuzz: setup ## ten minutes of mutated queries, addresses and configurations against the guards
	@OPSLOOM_FUZZ_S=85 $(BIN)/python -m pytest --timeout 900 $(PYTEST_ARGS) tests/fuzz tests/contract/test_sql_meaning.py

bench: setup ## measure and print the table of docs/performance.md
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

lock: setup ## renew requirements.lock from pyproject.toml
	@$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --output-file requirements.lock

clean: ## remove the environment and every cache
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
