# Two commands matter: `make run` and `make test`. Both do all set-up on a fresh machine.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
ARGS ?=

.PHONY: run test check bench lock format clean screenshots setup setup-dev system-packages

run: setup
	@$(BIN)/huiqi demo $(ARGS)

test: setup-dev system-packages
	$(BIN)/python -m pytest -q --durations=8 $(ARGS)

check: setup-dev
	$(BIN)/ruff format --check src tests bench scripts
	$(BIN)/ruff check src tests bench scripts
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture
	$(BIN)/codespell src docs tests README.md CONTRIBUTING.md
	$(BIN)/deptry src

bench: setup-dev
	$(BIN)/python -m bench $(ARGS)

# Pictures of every page below build/pictures, and the one in the README.
screenshots: setup-dev system-packages
	$(BIN)/python scripts/make_screenshots.py
	$(BIN)/python scripts/make_screenshots.py build/pictures

format: setup-dev
	$(BIN)/ruff format src tests bench scripts
	$(BIN)/ruff check --fix src tests bench scripts

# The lock files: what pyproject.toml asks for, each version with its hashes.
lock: setup-dev
	$(BIN)/uv pip compile pyproject.toml --extra build --generate-hashes --python-version 3.11 --no-header -q -o requirements/core.txt
	$(BIN)/uv pip compile pyproject.toml --extra build --extra dev --generate-hashes --python-version 3.11 --no-header -q -o requirements/dev.txt

setup: .venv/core.done

setup-dev: .venv/dev.done

system-packages:
	@sh scripts/system_packages.sh

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Huiqi needs Python 3.11 or newer: install python3 and try again"; exit 1; }
	@echo "Huiqi: building the environment in .venv (once)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; sh scripts/system_packages.sh venv && $(PYTHON) -m venv .venv; }

.venv/core.done: requirements/core.txt pyproject.toml | .venv/bin/python
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/core.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.done: requirements/dev.txt .venv/core.done | .venv/bin/python
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
