# make test: set up and run the whole test suite. make book: set up and build the book.
# Needs make and Python 3.11 to 3.13; everything else goes into .venv, from requirements.lock.

PYTHON ?= python3
PRESET ?= tiny
RUN    ?=

BIN   := .venv/bin
READY := .venv/.ready

export UV_COMPILE_BYTECODE = 1
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: book pdf test lint clean
.DEFAULT_GOAL := book

book: $(READY)
	$(BIN)/reverbsynth book --preset "$(PRESET)" $(if $(RUN),--run "$(RUN)")

# Prints what `make book` has built; needs Chromium.
pdf: $(READY)
	$(BIN)/reverbsynth pdf

test: $(READY)
	$(BIN)/python -m pytest $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell README.md CHANGELOG.md book notebooks reverbsynth tests benchmarks \
	  --skip "*.png,*.gz,*.npz,*/vendor/*,*/fixtures/*,*/__pycache__/*,*/results/*"
	$(BIN)/nbstripout --verify notebooks/*.ipynb
	$(BIN)/mypy

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
	@touch $@
