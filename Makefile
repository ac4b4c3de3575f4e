# The two commands of the README are `make demo` and `make test`; both build .venv from the hash-locked requirements first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(shell sed -e 's/\#.*//' -e '/^\s*$$/d' system-packages.txt)
.PHONY: demo test lint bench system simulate mutants power-cuts crashes fuzz verification misreads hard-frames photographs lines ward-clock replay lock clean packages
SEEDS ?= 10
DOSES ?= 500

demo: $(VENV)/.installed packages
	$(BIN)/python -m hub.cli demo $(ARGS)

test: $(VENV)/.tools packages tests/printer/renderers/.installed
	$(BIN)/python -m pytest -n 3 --dist loadfile $(ARGS)

lint: $(VENV)/.tools
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.tools packages
	$(BIN)/python -m tests.benchmarks $(ARGS)

# Slow evidence: more days, more seeds; the results are kept in docs/evidence/.
system: $(VENV)/.tools packages
	$(BIN)/python -m tests.evidence $(ARGS)

# The chain from the hub's outbox to the actuator under virtual time with seeded faults; a seed that breaks is printed and replays exactly.
simulate: $(VENV)/.tools
	$(BIN)/python -m tests.simulation.machine_link.run --seeds $(SEEDS) --doses $(DOSES) $(ARGS)

# Twenty deliberate mistakes in that chain: the simulation must find each of them.
mutants: $(VENV)/.tools
	$(BIN)/python -m tests.simulation.machine_link.mutants $(ARGS)

# Power cuts at any write: what was acknowledged must be on every disk that may be left; ARGS="--states 100000 --seed 1".
power-cuts: $(VENV)/.tools
	$(BIN)/python -m tests.disk $(ARGS)

# Kill the processes of a plant at work, SIGKILL at any moment: nothing may be lost or doubled; ARGS="--kills 300 --seed 1".
crashes: $(VENV)/.tools packages
	$(BIN)/python -m tests.crashes $(ARGS)

# Ten million hostile bytes into each end of the serial link: no exception, no growth, no frame taken that was not on the line.
fuzz: $(VENV)/.tools
	$(BIN)/python -m tests.fuzz $(ARGS)

# What verification lets by and what it stops, over simulated pouches with faults; goes on where it was broken off.
# make verification ARGS="--pouches 100000 --seed 1", then ARGS=--report for docs/evidence/verification.md.
verification: $(VENV)/.tools
	$(BIN)/python -m tests.verification.run $(ARGS)

# Does a damaged symbol ever pass for another live serial? make misreads ARGS="--decodes 1000000 --seed 1 --processes 2"
misreads: $(VENV)/.tools
	$(BIN)/python -m tests.verification.misreads $(ARGS)

# How many ordinary and hard frames are read, beside zxing-cpp alone. make hard-frames ARGS="--set ordinary --count 10000"
hard-frames: $(VENV)/.tools
	$(BIN)/python -m tests.verification.hard_frames $(ARGS)

# Pictures of codes that somebody has: is any read worse than by zxing-cpp alone? make photographs ARGS="FOLDER"
photographs: $(VENV)/.tools
	$(BIN)/python -m tests.verification.photographs $(ARGS)

# Every line of the hospital's fortnight, where its folder is beside the checkout; and a ward's clock fitted on its first week.
lines: $(VENV)/.tools
	$(BIN)/python -m tests.replay.days

ward-clock: $(VENV)/.tools
	$(BIN)/python -m tests.replay.fit

# A history run again without machines: make replay FOLDER=… ARGS="--out DIR"
replay: $(VENV)/.installed
	$(BIN)/python -m hub.cli replay $(FOLDER) $(ARGS)

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.tools: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

# Renderers of printer languages that nobody here wrote, for the tests alone; no script of theirs is run. Where they cannot be had, their test says so.
tests/printer/renderers/.installed: tests/printer/renderers/package-lock.json | packages
	@if npm ci --prefix tests/printer/renderers --ignore-scripts --omit=optional --no-audit --no-fund --silent; then touch $@; \
	else echo "The renderers of tests/printer are not installed: nodejs, npm and its registry are needed."; fi

# Installs what is missing where this user may; else prints the one line to run, and what needs it says so later.
packages:
	@missing=""; for package in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q "ok installed" || dpkg-query -W -f='$${Status} $${Provides}\n' | grep "ok installed" | grep -qE "[ ,]$$package(,| |$$)" || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
		else echo "Missing system packages. Run:  sudo apt-get install$$missing"; fi; fi

lock:
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements-dev.txt requirements-dev.in

clean:
	rm -rf tests/printer/renderers/node_modules tests/printer/renderers/.installed $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
