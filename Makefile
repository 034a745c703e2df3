# What a developer runs; CI runs `make test`. Everything that is needed beyond Rust and CPython goes into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find src python -type f -not -name '*.pyc') Cargo.toml Cargo.lock pyproject.toml README.md
STUB := python/partsum/_core.pyi
PY_CODE := python tests examples benches docs

# Tests marked `serial` measure the machine, so they run after all others and one by one.
define pytest
	$(1) -m pytest -n auto --maxprocesses 4 --dist worksteal -m 'not serial'
	$(1) -m pytest -m serial
endef

.PHONY: help demo build rust-tests check test lint stubs format cargo-test pytest test-avx512 asan pythons servers docs bench clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.wheel ## upload 256 MiB to an S3 server on this machine, with every value known beforehand
	$(BIN)/python examples/demo.py

build: .venv/.wheel servers rust-tests ## build all that the tests need

rust-tests:
	cargo test --locked --no-run

check: lint ## run before each commit: the linters and the fast tests
	cargo test --locked --lib
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist worksteal -m 'not (server or slow or serial)'

test: lint cargo-test pytest ## run everything that CI checks

.venv/.tools: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "partsum needs Python 3.10 or later: make PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group build --group servers --group test --group lint --group docs
	touch $@

.venv/.wheel: .venv/.tools $(SOURCES)
	rm -rf dist
	$(BIN)/maturin build --release --locked --out dist --interpreter $(BIN)/python
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps dist/*.whl
	$(BIN)/python -m pip install --quiet 'click>=8.1'
	touch $@

lint: .venv/.wheel ## formatting, clippy, ruff, mypy --strict, the layers, stubs against the built module
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --features python -- -D warnings
	mkdir -p target && CARGO_MANIFEST_DIR=$(CURDIR) rustc --edition 2024 --test tests/layering.rs -o target/layering
	target/layering --quiet
	$(BIN)/ruff format --check $(PY_CODE)
	$(BIN)/ruff check $(PY_CODE)
	PYTHONPATH=python $(BIN)/lint-imports
	$(BIN)/mypy
	$(MAKE) --no-print-directory target/stubs
	diff -u $(STUB) target/stubs/partsum/_core.pyi || { echo "the stub's docstrings are old: make stubs"; exit 1; }
	cd tests && ../$(BIN)/python -m mypy.stubtest partsum --mypy-config-file ../pyproject.toml

# The extension's docstrings, written into a copy of its stub without them.
target/stubs: .venv/.wheel $(STUB)
	rm -rf $@ && mkdir -p $@/partsum
	$(BIN)/python -c 'import re, sys; sys.stdout.write(re.sub(r"\n +r?\"{3}.*?\"{3}(?=\n)", "", sys.stdin.read(), flags=re.S))' < $(STUB) > $@/partsum/_core.pyi
	$(BIN)/docify --quiet --workers 1 --in-place $@
	$(BIN)/ruff format --quiet $@

stubs: target/stubs ## copy the docstrings of the extension into its stub, for editors
	cp $</partsum/_core.pyi $(STUB)

format: .venv/.tools ## format Rust and Python
	cargo fmt --all
	$(BIN)/ruff format $(PY_CODE)
	$(BIN)/ruff check --fix $(PY_CODE)

cargo-test: ## run the Rust tests and doctests, under each instruction set of this CPU
	cargo test --locked

test-avx512: ## run the Rust tests under AVX-512 in an emulator, for a CPU without it
	$(PYTHON) tests/emulator/run.py

asan: ## run the Rust tests under AddressSanitizer; needs a nightly toolchain
	RUSTFLAGS=-Zsanitizer=address cargo +nightly test --locked --lib --target x86_64-unknown-linux-gnu --target-dir target/asan

servers: .venv/.tools ## install the S3 servers that the tests compare with; minutes, the first time
	$(BIN)/python tests/servers/provision.py

pytest: .venv/.wheel servers ## run the Python tests against the installed wheel and real S3 servers
	$(call pytest,$(BIN)/python)

docs: .venv/.wheel ## build the documentation site in target/docs; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q -E -a docs target/docs
	@echo target/docs/index.html

pythons: .venv/.tools ## run the Python tests under every CPython from 3.10 that is on this machine
	for version in 3.10 3.11 3.12 3.13 3.14; do \
	  command -v python$$version >/dev/null && python$$version -c '' 2>/dev/null || { echo "SKIPPED: no python$$version here"; continue; }; \
	  $(MAKE) --no-print-directory python-$$version; \
	done

python-%: export PARTSUM_TEST_SERVERS = seaweedfs
python-%: .venv/.tools
	rm -rf target/python-$* && mkdir -p target/python-$*
	python$* -m venv target/python-$*/venv
	$(BIN)/maturin build --release --locked --out target/python-$* --interpreter target/python-$*/venv/bin/python
	target/python-$*/venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	target/python-$*/venv/bin/python -m pip install --quiet target/python-$*/*.whl --group test
	$(call pytest,target/python-$*/venv/bin/python)

bench: .venv/.wheel ## compare partsum with its peers on this machine, into benches/results; ten minutes
	rm -rf target/criterion
	cargo bench --locked -p partsum-benches --features aws-lc
	$(BIN)/python benches/table.py --markdown benches/results/kernels.md --svg benches/results/kernels.svg
	$(BIN)/partsum bench --json benches/results/bench.json --markdown benches/results/bench.md \
	  --svg benches/results/bench.svg --html benches/results/bench.html

clean: ## remove what was built
	rm -rf target dist .venv
