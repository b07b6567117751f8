# SPDX-License-Identifier: GPL-2.0-or-later
#
# make demo    set up, then show every job on the project's own fixtures
# make test    set up, then run every check
# make man     man pages into the environment's share/man, where `git kbisect --help` finds them
# make dist    dist/*.whl: kbisect with its man pages
# make reference   REFERENCE.md anew, from the commands' own help
# make bench   measure against git on the repository in KBISECT_NET_REPO
# make soak    kill, starve and disturb it at random, for long

PYTHON ?= python3
VENV   ?= .venv
CACHE  ?= .cache
BIN    := $(VENV)/bin

export KBISECT_CACHE := $(abspath $(CACHE))

.PHONY: demo test setup check man dist reference bench soak clean

demo: setup
	PATH="$(abspath $(BIN)):$$PATH" ./demo.sh

test: setup check
	$(BIN)/pytest -n 2 --dist loadgroup

# What needs no machine: format, lint, types, the direction of the rooms.
check: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: $(VENV)/ready
	@./setup.sh

# The mark is written last, so a set-up that was cut off is done again.
$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is too old: kbisect needs Python 3.11; try: make PYTHON=python3.12" >&2; exit 4; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || ./setup.sh
	@echo "setting up $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

man: $(VENV)/ready
	$(BIN)/python -m kbisect.cli.manual man $(VENV)/share/man/man1

dist: $(VENV)/ready
	rm -rf build/man dist
	$(BIN)/python -m kbisect.cli.manual man build/man/man1
	$(BIN)/python -m hatchling build -t wheel

reference: $(VENV)/ready
	$(BIN)/python -m kbisect.cli.manual reference > REFERENCE.md.new
	mv REFERENCE.md.new REFERENCE.md

bench: $(VENV)/ready
	$(BIN)/python -m tests.bench

soak: $(VENV)/ready
	$(BIN)/python -m tests.soak

clean:
	rm -rf $(VENV) $(CACHE) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
