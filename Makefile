# Needs make and Python 3.11 or newer; everything else is installed into .venv.
#   make study   train, probe, fit, compare, report; the report's path is the last line
#   make test    the tests          make lint   style, types, the law of imports
# Another interpreter: make study PYTHON=/path/to/python3.12

MAKEFLAGS += --no-print-directory
.PHONY: study test lint clean

PYTHON ?= python3 python3.13 python3.12 python3.11
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
SCALE ?= quick
SEED ?= 0
OUT ?= results/goal-switch
ARGS ?=

study: $(VENV)/.installed
	@$(PY) -m ontogeny study goal-switch --scale $(SCALE) --seed $(SEED) --out $(OUT)

test: $(VENV)/.installed-dev
	@OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses 2 --dist loadfile $(ARGS)

lint: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

clean:
	rm -rf $(VENV)

# An environment that is missing, broken, moved or too old is made anew.
$(VENV)/.installed: pyproject.toml constraints.txt
	@if ! $(PY) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  found=; \
	  for p in $(PYTHON); do \
	    if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$p; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "Ontogeny needs Python 3.11 or newer, and none of '$(PYTHON)' is one; install it or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; \
	  fi; \
	  if ! "$$found" -c 'import venv, ensurepip' 2>/dev/null; then \
	    echo "$$found cannot make environments: its venv or ensurepip module is missing (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$($$found --version)." >&2; \
	  "$$found" -m venv --clear $(VENV) && $(PY) -m pip --version >/dev/null || \
	    { echo "$$found could not make a working environment in $(VENV)." >&2; exit 1; }; \
	fi
	@echo "Installing Ontogeny and what it needs into $(VENV) (once; a few minutes)." >&2
	@$(PY) -m pip --disable-pip-version-check install --quiet --upgrade 'pip>=25.1'
	@$(PIP) torch
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing the tools for tests and checks into $(VENV) (once)." >&2
	@$(PIP) --group dev
	@touch $@
