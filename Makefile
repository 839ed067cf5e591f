# Set-up happens by itself and once: every target below needs only make and a Python 3.11 to 3.13.
# Everything goes into $(VENV) and labextension/node_modules; nothing is installed outside this folder.

VENV ?= .venv
VENV_NEWEST ?= .venv-newest
# The first Python on the PATH that is supported: what `python3` is, else the named versions.
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) or print(sys.executable))' \
	2>/dev/null && break; done)
endif
# A newer Python for `make test-newest`, which takes the newest jaxlib; may be empty. A shim of pyenv that is not
# active fails when run, so pyenv's own folders are searched as well.
PYENV_ROOTS := $(PYENV_ROOT) $(HOME)/.pyenv $(patsubst %/shims,%,$(filter %/shims,$(subst :, ,$(PATH))))
PYTHON_NEWEST ?= $(shell for name in python3.13 $(wildcard $(PYENV_ROOTS:%=%/versions/3.13*/bin/python)) \
	python3.12 $(wildcard $(PYENV_ROOTS:%=%/versions/3.12*/bin/python)); do \
	$$name -c 'import sys; sys.exit(not (3, 12) <= sys.version_info < (3, 14) or print(sys.executable))' \
	2>/dev/null && break; done)
WORKERS ?= 2

BIN := $(VENV)/bin
NEWEST_BIN := $(VENV_NEWEST)/bin
# npm may live in the virtual environment; nothing may read a Python of elsewhere.
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# What the tests need where a jax of the environment would look for accelerators.
export JAX_PLATFORMS ?= cpu

FRONT_END := $(wildcard labextension/*.json) $(shell find labextension/build labextension/packaging \
	labextension/src labextension/style -type f -not -name '*.pyc')
PACKAGING := pyproject.toml jaxlab/version.py $(FRONT_END)

.PHONY: help demo lab test test-python test-front-end test-newest print-python-newest lint bench build clean

help:
	@echo "make demo    run the quickstart without a screen; prints figures and the path of an HTML page"
	@echo "make lab     open the quickstart in JupyterLab"
	@echo "make test    lint, types and every test (browser tests where a Chromium is found)"
	@echo "make test-newest  what reaches jaxlib, again on the newest one (Python 3.12 or 3.13)"
	@echo "make bench   jaxlab against jax: one table of ratios"
	@echo "make lint    ruff, mypy, eslint, tsc"
	@echo "make build   sdist and wheel into dist/"
	@echo "make clean   remove what was built and the virtual environments"

demo: $(VENV)/.demo
	@$(BIN)/python notebooks/run_demo.py

lab: $(VENV)/.demo
	$(BIN)/jupyter lab notebooks/quickstart.ipynb

test: lint test-front-end test-python

test-python: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS)

test-front-end: $(VENV)/.dev
	cd labextension && npm test

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd labextension && npm run lint && npm run typecheck

# Derivatives of rules are Python, and the same with every jaxlib: here what reaches jaxlib is asked again.
COMPILED := not (test_jvp or test_second_order or test_taylor or test_transpose or test_reverse_alone)

test-newest: $(VENV_NEWEST)/.test
	$(NEWEST_BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -k "$(COMPILED)" \
		tests/rules tests/laws/test_single.py tests/laws/test_pairs.py tests/oracle tests/runtime tests/magics
	$(NEWEST_BIN)/python notebooks/run_demo.py

# For .ci/run: the Python of test-newest, or nothing.
print-python-newest:
	@echo $(PYTHON_NEWEST)

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

build: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	@ls -l dist

# What is made is removed by name; the virtual environments last, since removing them is what takes long to undo.
clean:
	rm -rf build dist labextension/dist labextension/lib labextension/node_modules jaxlab/widgets/static \
		notebooks/out tests/browser/out .pytest_cache .mypy_cache .ruff_cache $(VENV) $(VENV_NEWEST)

# --- set-up ---------------------------------------------------------------------------------------------------

# An environment that is there already is used as it is, unless its Python is gone.
$(VENV)/.venv:
	@if [ -z "$(PYTHON)" ]; then \
		echo "make: Python 3.11, 3.12 or 3.13 is needed, but none is on the PATH; write make PYTHON=/path/to/python3.12"; \
		exit 1; fi
	$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade
	touch $@

# The build tools go into the environment itself, so that its node (where one is needed) serves the tests too.
$(VENV)/.build-tools: $(VENV)/.venv pyproject.toml labextension/packaging/front_end.py
	$(BIN)/python -m pip install --quiet "hatchling>=1.27" "hatch-jupyter-builder>=0.9,<1" editables \
		$$($(BIN)/python labextension/packaging/front_end.py requirements)
	touch $@

$(VENV)/.demo: $(VENV)/.build-tools $(PACKAGING)
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable ".[demo]"
	touch $@

$(VENV)/.dev: $(VENV)/.build-tools $(PACKAGING)
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable ".[dev]"
	$(BIN)/python labextension/packaging/front_end.py install
	touch $@ $(VENV)/.demo

# The front end is the one that the first environment built.
$(VENV_NEWEST)/.test: $(VENV)/.dev
	@if [ -z "$(PYTHON_NEWEST)" ]; then \
		echo "make: the newest jaxlib needs Python 3.12 or 3.13, but none was found; write make PYTHON_NEWEST=/path/to/python"; \
		exit 1; fi
	$(NEWEST_BIN)/python -c '' 2>/dev/null || $(PYTHON_NEWEST) -m venv --clear $(VENV_NEWEST)
	$(NEWEST_BIN)/python -m pip install --quiet "hatchling>=1.27" "hatch-jupyter-builder>=0.9,<1" editables
	$(NEWEST_BIN)/python -m pip install --quiet --upgrade --upgrade-strategy eager --no-build-isolation \
		--editable ".[test]"
	touch $@
