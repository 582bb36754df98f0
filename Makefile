# Needs python3 (3.11 or later) and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto

.PHONY: help demo test lint bench install reference r-packages clean

help:
	@echo "make demo       install into .venv and answer the shipped question, with no data of your own"
	@echo "make test       install and run the tests"
	@echo "make lint       style, types"
	@echo "make bench      time bothways beside its peers (R where it is there)"
	@echo "make reference  run the R scripts again whose values the tests compare with (R=install installs R)"
	@echo "make install    install bothways and what its developers need into .venv"

$(VENV)/ready: pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "bothways needs Python 3.11 or later"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@

install: $(VENV)/ready-dev

demo: $(VENV)/ready
	$(BIN)/bothways demo --report bothways-demo.html

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/ready-dev
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

# Debian or Ubuntu; elsewhere install R with lavaan, msm, survival, metafor and jsonlite by hand.
r-packages:
	apt-get update
	apt-get install -y --no-install-recommends r-base-core r-cran-lavaan r-cran-msm r-cran-survival r-cran-metafor r-cran-jsonlite

ifeq ($(R),install)
reference: r-packages
endif
reference:
	cd tests/reference && for script in $$(find . -name '*.R' -not -path './exported/*' | sort); do \
		echo $$script; (cd $$(dirname $$script) && Rscript $$(basename $$script)) || exit 1; done

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
