# Everything a developer runs. Needs Python 3.10 or newer, or uv; sets up the rest by itself. See CONTRIBUTING.md.

# A uv that works, or a private one under .tools (made by the rule below).
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
UV_RULE := $(filter .tools/bin/uv,$(UV))

# dbt-core decides which Pythons will do: uv takes one of these from the machine, or fetches one.
PYTHONS := >=3.10,<3.14
PYTHONS_OF_OLD_DBT := >=3.10,<3.13

BIN := .venv/bin
PYTEST := python -m pytest -n auto --maxprocesses 4 --dist worksteal
OLDEST := 1-8
NEWEST := 1-12
MATRIX := 1-8 1-9 1-10 1-11 1-12

.PHONY: help env demo test check lint test-smoke test-dbt-matrix soak bench format clean
.DEFAULT_GOAL := help

help:
	@echo "make demo             run the example: build; nothing changed; new rows and one edited model"
	@echo "make test             every check and every test, and the smoke tests on the oldest and newest dbt-core"
	@echo "make check            format, lint, types, and the fast tests (unit, property, architecture)"
	@echo "make test-dbt-matrix  the integration tests on every supported minor version of dbt-core"
	@echo "make soak             many jobs at once for five minutes, killed, stopped and cut off at random moments"
	@echo "make bench            measure against plain dbt"
	@echo "make format           format and fix what can be fixed"
	@echo "make clean            remove environments, caches and results"

env: .venv/.synced

demo: env
	$(BIN)/afresh demo

test: lint
	$(BIN)/$(PYTEST)
	$(MAKE) test-smoke

check: lint
	$(BIN)/$(PYTEST) $(wildcard tests/unit tests/property tests/architecture)

lint: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test-smoke: $(foreach minor,$(OLDEST) $(NEWEST),smoke-on-$(minor))

test-dbt-matrix: $(foreach minor,$(MATRIX),integration-on-$(minor))

smoke-on-%: .venvs/dbt-%/.synced
	.venvs/dbt-$*/bin/$(PYTEST) -m smoke tests/integration

integration-on-%: .venvs/dbt-%/.synced
	.venvs/dbt-$*/bin/$(PYTEST) tests/integration

# AFRESH_SOAK: how many seconds; AFRESH_SEED: which history.
soak: env
	@seed=$${AFRESH_SEED:-$$(date +%s)}; echo "AFRESH_SEED=$$seed"; \
	AFRESH_SOAK=$${AFRESH_SOAK:-300} AFRESH_SEED=$$seed $(BIN)/python -m pytest tests/integration/processes/test_soak.py

bench: env
	$(BIN)/python -m benchmarks.run

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .venvs .tools build dist benchmarks/results
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.synced: pyproject.toml uv.lock $(UV_RULE)
	$(UV) sync --frozen --quiet --python '$(PYTHONS)'
	@touch $@

# One environment for each minor version of dbt-core; not removed when a test in it fails.
.PRECIOUS: .venvs/dbt-%/.synced
.venvs/dbt-%/.synced: pyproject.toml uv.lock $(UV_RULE)
	UV_PROJECT_ENVIRONMENT=.venvs/dbt-$* $(UV) sync --frozen --quiet --python '$(PYTHONS_OF_OLD_DBT)' \
		--no-default-groups --group test --group dbt-$*
	@touch $@

.tools/bin/uv:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
		|| { echo "Afresh needs Python 3.10 or newer as python3, or uv on the PATH (https://docs.astral.sh/uv)." >&2; exit 1; }
	python3 -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5.3'
