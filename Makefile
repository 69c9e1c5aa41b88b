# Two commands on a fresh machine: make demo, make test. Needs python3 >= 3.11, gcc and make.
PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
RUN := $(UV) run --no-sync
BY_FILE := --dist loadfile --no-loadscope-reorder # one process a file, so that what its tests share is made once

.PHONY: demo test test-slow lint bench setup lock
demo: setup
	$(RUN) fusion run configs/demo.yaml

test: setup
	$(RUN) pytest -n auto $(BY_FILE)

test-slow: setup
	$(RUN) pytest -n auto $(BY_FILE) -m slow

lint: setup
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy

bench: setup
	$(RUN) python experiments/benchmarks/radiomics.py
	$(RUN) python experiments/benchmarks/extraction.py
	$(RUN) python experiments/benchmarks/training.py
	$(RUN) python experiments/benchmarks/predict.py

setup: .venv/ready

lock: setup
	$(UV) export --all-extras --all-groups --no-emit-project --no-annotate --no-header -o requirements.lock

.venv/ready: pyproject.toml $(wildcard tools/py312shim/*) | $(UV)
	$(UV) sync --all-extras --compile-bytecode --python $(PYTHON)
	@touch $@

.uv/bin/uv:
	$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv || $(PYTHON) -m pip install --quiet --target .uv uv
