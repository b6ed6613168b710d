# make test: set up and run the whole test suite, first on TensorFlow, then on JAX; either with
# make test-tensorflow or test-jax. make book: set up and build the book, of the run that comes with
# it; make book PRESET=tiny trains one first, make book RUN=DIRECTORY shows another.
# make test-fast: what a minute can test. make lint: style, spelling, schemas, types, and lines.
# Needs make and Python 3.11 to 3.13; everything else goes into .venv, from requirements.lock.

PYTHON ?= python3
PRESET ?=
RUN    ?=
# On JAX: only the tests that both backends have.
BACKENDS := $(or $(KERAS_BACKEND),tensorflow jax)

# Two processes, a module in one of them, in the order of tests/conftest.py.
PARALLEL := -n 2 --dist loadscope --no-loadscope-reorder

# What trains nothing and hardly needs TensorFlow.
FAST := tests/audio tests/cli tests/data tests/effects tests/evaluation/metrics \
  tests/evaluation/test_bootstrap.py tests/evaluation/test_claims.py tests/files \
  tests/instrument tests/settings tests/test_*.py
SPELT := *.md *.yml CITATION.cff Makefile pyproject.toml .ci .github benchmarks book notebooks \
  reverbsynth tests

BIN   := .venv/bin
READY := .venv/.ready

export UV_COMPILE_BYTECODE = 1
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: book pdf test test-tensorflow test-jax test-fast lint clean
.DEFAULT_GOAL := book

book: $(READY)
	$(BIN)/reverbsynth book $(if $(PRESET),--preset "$(PRESET)") $(if $(RUN),--run "$(RUN)")

# Prints what `make book` has built; needs Chromium.
pdf: $(READY)
	$(BIN)/reverbsynth pdf

test: $(BACKENDS:%=test-%)

test-tensorflow test-jax: test-%: $(READY)
	KERAS_BACKEND=$* $(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-fast: $(READY)
	$(BIN)/python -m pytest $(PARALLEL) -m "not (slow or browser or kill or distributed)" \
	  $(FAST) $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell --check-hidden $(SPELT)
	$(BIN)/nbstripout --verify notebooks/*.ipynb
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	$(BIN)/mypy
	@find reverbsynth -name '*.py' -exec wc -l {} + | awk 'split($$2, part, "/") > 1 { \
	  room = part[2] ~ /[.]py$$/ ? "(top)" : part[2]; lines[room] += $$1; all += $$1 } \
	  END { for (room in lines) printf "%6d %s\n", lines[room], room | "sort -k 2"; \
	  close("sort -k 2"); printf "%6d lines of reverbsynth\n", all }'

clean:
	rm -rf _build

# uv's own version is pinned in the lock file too; pip fetches it once, then uv does the rest.
# Where uv cannot reach an index that pip is configured for, pip installs the same pins.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info < (3, 14); found = "%d.%d" % sys.version_info[:2]; sys.exit(0 if ok else "$(PYTHON) is Python " + found + ", expected 3.11 to 3.13; name another with: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "$(PYTHON) cannot create virtual environments (on Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --exact -r requirements.lock \
	  || $(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . \
	  || $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m reverbsynth.book.warm_up
	@touch $@
