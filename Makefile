# make demo: set up and run the main job end to end.   make test: set up and run the tests.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo models notebooks docs test test-all bench faults lint install lock schema clean

demo: install
	$(BIN)/churnml demo demo --overwrite

# The same operator, settings and libraries give the same bytes.
SIMULATED := Trained on a simulated operator (8,000 customers, 24 months, seed 7): it shows the way and is of no use for real customers. Kept small: fewer boosters than the default.
models: install
	work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; \
	$(BIN)/churnml simulate "$$work/operator" --customers 8000 --months 24 --seed 7; \
	for task in churn satisfaction; do \
	  $(BIN)/churnml train $$task "$$work/operator" --config models/small.yaml --no-track --out "$$work/$$task"; \
	  $(BIN)/churnml export "$$work/$$task" models/$$task --note "$(SIMULATED)" --overwrite; \
	done
	$(BIN)/python tests/test_models.py

test: install
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-all: install
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not benchmark"
	$(BIN)/python -m pytest -m benchmark -s

# Ratios to the bare libraries as one table and as JSON. SIZE=full takes hours; its figures are kept.
SIZE ?= small
BENCH_JSON ?= $(if $(filter full,$(SIZE)),tests/benchmarks/full.json,bench.json)
bench: install
	SIZE=$(SIZE) BENCH_JSON=$(BENCH_JSON) $(BIN)/python -m pytest -m benchmark -s tests/benchmarks

# A hundred faults, as an ordinary user; a naive scorer must fail most of them.
faults: install
	$(BIN)/python -m tests.faults.catalogue

# Run the notebooks and keep what they show.
notebooks: install
	for source in notebooks/*.py; do \
	  $(BIN)/jupytext --quiet --to ipynb "$$source" && \
	  $(BIN)/jupyter nbconvert --log-level ERROR --to notebook --execute --inplace \
	    --ExecutePreprocessor.record_timing=False "$${source%.py}.ipynb"; \
	done

# The pages of docs/ as a site; a warning or a dead link fails.
docs: install
	$(BIN)/python -m churnml.features >docs/features.md
	$(BIN)/python -m churnml.cli.reference >docs/commands.md
	$(BIN)/zensical build --strict --clean

lint: install
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(STAMP)

# The lock holds every extra; with hashes and --no-deps nothing else can come in.
$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	if command -v uv >/dev/null; then \
	  uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	touch $(STAMP)

lock: install
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --quiet -o requirements.lock

schema: install
	$(BIN)/python -m churnml.config
	$(BIN)/python -m churnml.tables.source

clean:
	rm -rf .venv demo mlflow.db mlartifacts
