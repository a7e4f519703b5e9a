# Each target sets itself up on a machine that has only Python 3.11, pip and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test lint bench clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "需要 Python 3.11 或更高版本")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch .venv/ready

demo: setup
	rm -rf data/demo
	$(BIN)/duixian synth --enterprises 2000 --years 2021-2023 --seed 1 --out data/demo/raw
	$(BIN)/duixian annual --year 2023 --raw data/demo/raw --out data/demo/out --flow

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Everything docs/benchmarks.md says, measured anew; BENCH="--only reading" for a part of it, BENCH=--large for more.
# The contenders live in a folder of their own, so that nothing of theirs comes among the product's packages.
bench: setup .venv-bench/ready
	$(BIN)/python -m benchmarks.report --python .venv-bench/bin/python $(BENCH)

.venv-bench/ready: requirements.lock benchmarks/requirements.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock -r benchmarks/requirements.lock
	touch .venv-bench/ready

clean:
	rm -rf .venv .venv-bench data/demo build *.egg-info
