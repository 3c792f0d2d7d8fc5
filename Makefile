# `make run` and `make test` need nothing but Python 3.11+ and make; `make help` lists the rest. With
# gcc and the headers of Python (python3-dev) the hot way is compiled, and three times as fast.
#
# There is one environment, .venv. A stamp file in it stands for each set of packages, so that
# nothing is installed twice, and nothing before it is needed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.NOTPARALLEL: # two pips at work in one environment would disturb each other

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
BENCH := .cache/bench
PACKAGE_FILES := setup.py setup.cfg pyproject.toml logopsd/__init__.py $(wildcard logopsd/compiled/*.p[xy][dx])

# PYTHON=/path/to/python3.12 chooses one; else the first that is new enough.
PYTHON ?=
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11

# Rooms that know no sockets, clocks or files; each line and branch of them is tested.
PURE_FILES := logopsd/framing/*,logopsd/parsing/*,logopsd/privacy/*,logopsd/encoding.py
PURE_FILES := $(PURE_FILES),logopsd/commands/replay/batches.py,logopsd/commands/replay/selection.py
PURE_FILES := $(PURE_FILES),logopsd/commands/replay/repeats.py
PURE_FILES := $(PURE_FILES),logopsd/gathering.py,logopsd/records.py,logopsd/errors.py,logopsd/retention/policy.py
PURE_FILES := $(PURE_FILES),logopsd/workers/restarts.py,logopsd/workers/senders.py
PURE_FILES := $(PURE_FILES),logopsd/bus/address.py,logopsd/bus/messages.py,logopsd/bus/template.py
PURE_FILES := $(PURE_FILES),logopsd/shipping/address.py,logopsd/shipping/cut.py,logopsd/shipping/backoff.py
PURE_FILES := $(PURE_FILES),logopsd/shipping/loki_entries.py

# An environment whose Python was removed or upgraded away is made anew.
$(shell test -x $(BIN)/python || rm -f $(VENV)/.created)

# Tests side by side: one more than the cores of a small machine, as many of them wait for others.
JOBS ?= 3

# Where `make install` puts things; DESTDIR stands before it, for who makes a package.
PREFIX ?= /usr/local
DESTDIR ?=

# For how long `make fuzz` runs each of its targets.
SECONDS ?= 60

# More arguments for the program that a target runs: make test ARGS="-k framing".
ARGS ?=

.PHONY: help
help: ## Show this list
	@echo 'usage: make TARGET [ARGS="..."] [PYTHON=python3.12]'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

.PHONY: run
# Ctrl-C goes to all of the terminal's foreground group, and make, hit by it, ends with an error
# whatever the daemon does. Job control (set -m) gives the daemon a group and the terminal of its
# own; that needs make itself in the foreground (pgrp = tpgid in /proc/PID/stat).
run: $(VENV)/.run ## Start the daemon on its defaults; Ctrl-C ends it
	@read -r _ _ _ _ pgrp _ _ tpgid _ < /proc/$$$$/stat; \
	if [ "$$pgrp" = "$$tpgid" ]; then set -m; fi; \
	$(BIN)/python -m logopsd $(ARGS)

.PHONY: test
# Rewriting all asserts takes each of the processes 10 s; a second run finds them rewritten.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.test ## Run the tests
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

.PHONY: test-long
# How many times the examples of `make test` a property test has here (tests/depth.py).
DEPTH ?= 3
test-long: $(VENV)/.test ## Run the property tests with many more examples (DEPTH=3 times as many)
	LOGOPSD_TEST_DEPTH=$(DEPTH) $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m hypothesis $(ARGS)

.PHONY: test-system
# Debian's Python is another one than a developer's, and has bugs that newer ones have not. Nothing
# compiled is used here, so that what each compiled part leaves out is tested as well.
SYSTEM_PYTHON ?= /usr/bin/python3
SYSTEM := .cache/system
PURE_TESTS := tests/framing tests/parsing tests/privacy tests/test_patterns.py
test-system: ## Run the tests of framing, parsing and privacy on the system's own Python
	@test -x $(SYSTEM)/bin/pytest || { $(SYSTEM_PYTHON) -m venv --clear $(SYSTEM) && \
	    $(SYSTEM)/bin/python -m pip --quiet --disable-pip-version-check install \
	    --editable . 'pytest>=8' 'pytest-xdist>=3.5' 'hypothesis>=6.100'; }
	$(SYSTEM)/bin/python --version
	LOGOPSD_PURE_PYTHON=1 $(SYSTEM)/bin/python -m pytest -q -n $(JOBS) $(PURE_TESTS) $(ARGS)

.PHONY: lint
lint: $(VENV)/.lint ## Check style, format and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

.PHONY: types
types: $(VENV)/.lint ## Check the types (mypy, strict)
	$(BIN)/mypy

.PHONY: sanitize
# In an environment of its own, as all that is compiled there is slow.
SANITIZE := .cache/sanitize
SANITIZERS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
sanitize: $(VENV)/.created ## Run the tests of what is compiled under ASan and UBSan (needs gcc)
	rm -rf $(SANITIZE) && $(BIN)/python -m venv $(SANITIZE)
	CFLAGS='$(SANITIZERS)' LDFLAGS='$(SANITIZERS)' $(SANITIZE)/bin/python -m pip --quiet \
	    --disable-pip-version-check install . 'pytest>=8' 'hypothesis>=6.100'
	LOGOPSD_TEST_DEPTH=$(DEPTH) \
	    LD_PRELOAD=$$(gcc -print-file-name=libasan.so):$$(gcc -print-file-name=libubsan.so) \
	    ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc $(SANITIZE)/bin/python -P -m pytest -q \
	    -p no:cacheprovider -o pythonpath= --import-mode=importlib tests/compiled $(ARGS)

.PHONY: coverage
coverage: $(VENV)/.test ## Show the coverage; the pure rooms must be at 100 % of branches
	$(BIN)/coverage run -m pytest -q $(ARGS)
	$(BIN)/coverage report
	$(BIN)/coverage report --include='$(PURE_FILES)' --fail-under=100

.PHONY: bench
bench: $(BENCH)/.installed $(VENV)/.test ## Measure it beside rsyslogd, syslog-ng and a FastAPI gateway (12 minutes)
	@tests/bench/peers/fetch.sh
	$(BENCH)/bin/python -m tests.bench.compare $(ARGS)
	$(BIN)/python -m tests.bench.shipping

.PHONY: stages
stages: $(BENCH)/.installed ## Measure each stage of a record's way (ARGS="--instructions": valgrind)
	$(BENCH)/bin/python -m tests.bench.stages $(ARGS)

.PHONY: performance-page
performance-page: $(VENV)/.run ## Write table and picture of docs/performance.md from its JSON
	$(BIN)/python -m tests.bench.page

.PHONY: sim
sim: $(VENV)/.created ## Simulate many receivers and a bus, and print the tables of docs/scale.md
	@$(BIN)/python -m tests.sim $(ARGS)

.PHONY: pii-score
pii-score: $(VENV)/.run ## Show recall and false positives of each detector on the labelled set
	$(BIN)/python -m tests.privacy.score $(ARGS)

.PHONY: kill
kill: $(VENV)/.test ## Kill the daemon 200 times, and look for every acknowledged record (minutes)
	$(BIN)/python -m tests.e2e.kill $(ARGS)

.PHONY: ship-chaos
ship-chaos: $(VENV)/.test ## Ship 200,000 records to three servers, while all is killed (a minute)
	$(BIN)/python -m tests.e2e.ship_chaos $(ARGS)

.PHONY: install
install: $(VENV)/.created ## Put daemon and units in place (as root; PREFIX=/usr/local DESTDIR=)
	@PYTHON=$(BIN)/python PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' systemd/install.sh

.PHONY: fuzz
# What a target failed with, and what led it far, stays in .cache/fuzz.
fuzz: $(VENV)/.fuzz ## Fuzz each parser (SECONDS=60; ARGS="json_line" for some)
	$(BIN)/python tests/fuzz/fuzz.py --seconds $(SECONDS) $(ARGS)

.PHONY: soak
soak: $(VENV)/.test ## Send by all inputs at once for ten minutes, with faults (ARGS="--seconds 60")
	$(BIN)/python tests/soak/soak.py $(ARGS)

.PHONY: diagrams
diagrams: $(VENV)/.created ## Draw docs/architecture/c1..c3.png (needs Graphviz: apt install graphviz)
	@command -v dot > /dev/null || { echo "dot is missing: sudo apt install graphviz" >&2; exit 1; }
	$(BIN)/python docs/architecture/render.py

.PHONY: screenshots
screenshots: $(VENV)/.test ## Take docs/page-*.png and docs/tail.svg of a real run (needs chromium)
	$(BIN)/python -m tests.e2e.screenshots

.PHONY: package
package: $(VENV)/.package ## Build sdist and wheel; install and run them on each Python there is
	$(BIN)/python tests/packaging/check.py

.PHONY: lock
# All hashes of a version are taken, so that one lock serves every platform and Python.
LOCK = CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --generate-hashes \
	--strip-extras --allow-unsafe --annotation-style=line \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock: $(VENV)/.package ## Choose the newest versions anew for requirements/*.txt
	$(LOCK) --output-file requirements/runtime.txt setup.cfg
	$(LOCK) --only-build-deps --build-deps-for=wheel --output-file requirements/build.txt
	$(LOCK) --extra test --extra lint --extra package --constraint requirements/runtime.txt \
		--output-file requirements/development.txt setup.cfg

.PHONY: sbom
# Of an environment with what the image has, and not even pip beside it.
BARE = $(BIN)/python -m pip --python .cache/runtime/bin/python --quiet \
	--disable-pip-version-check install
sbom: $(VENV)/.package ## Write the bill of materials of what runs to dist/logopsd.cdx.json
	rm -rf .cache/runtime .cache/wheel && $(BIN)/python -m venv --without-pip .cache/runtime
	$(BARE) --require-hashes --requirement requirements/runtime.txt
	$(BIN)/python -m pip --quiet --disable-pip-version-check wheel --no-deps --wheel-dir .cache/wheel .
	$(BARE) --no-deps --no-index --find-links .cache/wheel logopsd
	mkdir -p dist
	$(BIN)/cyclonedx-py environment --output-reproducible --mc-type application \
		--output-file dist/logopsd.cdx.json .cache/runtime/bin/python

.PHONY: clean
clean: ## Remove the environment and all that is generated; data/ stays
	rm -rf $(VENV) .cache build dist *.egg-info htmlcov .coverage .coverage.*
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f logopsd/compiled/*.c logopsd/compiled/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Says what the machine lacks, and the command that mends it.
$(VENV)/.created:
	@found=; lacking=; \
	for name in $(or $(PYTHON),$(CANDIDATES)); do \
	    version=$$($$name -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	    if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then found=$$name; break; fi; \
	    lacking="$$lacking $$name is Python $$version;"; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "logopsd needs Python 3.11 or newer;$${lacking:- none was found ($(or $(PYTHON),python3));}" >&2; \
	    echo "install it:  sudo apt install python3 python3-venv   (Debian 12, Ubuntu 24.04 or newer)" >&2; \
	    echo "or name it:  make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
	    exit 1; \
	fi; \
	if ! $$found -c 'import venv, ensurepip' 2>/dev/null; then \
	    echo "$$found ($$version) lacks the venv module; install it:" >&2; \
	    echo "  sudo apt install python3-venv   (or python$$version-venv)" >&2; \
	    exit 1; \
	fi; \
	echo "creating $(VENV) with $$found (Python $$version)"; \
	$$found -m venv --clear $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.created $(PACKAGE_FILES)
	@echo "installing logopsd and what it needs into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@echo "installing what the tests need into $(VENV)"
	@$(PIP) --editable '.[test]'
	@touch $@

# An environment of its own, with nothing in it that a daemon would not find where it is installed:
# structlog imports what it finds. With the distribution's Python where that is new enough, as the
# others are the distribution's too; one that was built without optimisation costs a tenth more.
$(BENCH)/.installed: $(VENV)/.created $(PACKAGE_FILES)
	@python=$(or $(PYTHON),/usr/bin/python3); \
	$$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    || python=$(BIN)/python; \
	echo "installing what the comparison needs into $(BENCH) with $$python"; \
	$$python -m venv --clear $(BENCH)
	@$(BENCH)/bin/python -m pip --quiet --disable-pip-version-check install --editable '.[bench]'
	@touch $@

$(VENV)/.lint: $(VENV)/.run
	@echo "installing what the checks need into $(VENV)"
	@$(PIP) --editable '.[lint]'
	@touch $@

$(VENV)/.package: $(VENV)/.run
	@echo "installing what packaging needs into $(VENV)"
	@$(PIP) --editable '.[package]'
	@touch $@

$(VENV)/.fuzz: $(VENV)/.run
	@echo "installing what the fuzz targets need into $(VENV)"
	@$(PIP) --editable '.[fuzz]'
	@touch $@
