# Two commands on a fresh machine: make demo, make test. Python 3.11+ and make are all they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PHOTOS ?=

.PHONY: demo test check clean

demo: $(VENV)/demo.stamp
ifeq ($(PHOTOS),)
	$(BIN)/python examples/demo.py demo
else
	rm -rf demo/drawn
	$(BIN)/facegauge score $(PHOTOS) --draw demo/drawn
endif

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

$(VENV)/demo.stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable . 'scikit-image>=0.24'
	touch $@

$(VENV)/test.stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[evaluate,train,serve,scale,dev]'
	touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache
