# Two commands are all a new machine needs: `make assets` and `make test`. The rest is in `make help`.

VENV      ?= .venv
PYTHON    ?= python3
GATEWAY   ?= local
MANIFESTS ?= manifests/game-score.yaml manifests/ad-jingles.yaml
# Everything a run is told beside its manifests, e.g. make assets RUN_OPTIONS="--budget 5 --only 'battle/**'"
RUN_OPTIONS ?=

MINUTES ?= 10
# Of make test: pytest's, like -k NAME, and --both-backends (asyncio and trio for each test that waits, not one of them)
TEST_OPTIONS ?=
# One more than there are cores: some tests wait, for processes and for clocks
TEST_WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)
# Of make bench-noop, bench-report, bench-farm and bench-night: how many tracks, in place of 1,000 and 10,000, of 1,000,
# of 12, and of 100,000
TRACKS ?=
# Of make bench-enterprise: how many jobs, in place of 3,000
JOBS ?=
# Of make bench-time-left: how many runs of each regime, in place of 3
RUNS ?=
# Of make bench-pace: the regimes that contain one of these words, between commas, and who plays; all where they are empty
REGIMES ?=
PLAYERS ?=
# Of make bench-sound: loudness, loops, speed; all of them where it is empty
PARTS ?=

BIN      := $(VENV)/bin
UV       := $(shell command -v uv 2>/dev/null)
INSTALL   = $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)
PIPELINE := $(BIN)/python -m pipeline

.DEFAULT_GOAL := help
.PHONY: help assets plan check test test-long test-contract test-farm test-store soak fuzz-audio plants test-browser test-all lint format bench bench-enterprise bench-farm bench-local bench-night bench-memory bench-noop bench-pace bench-report bench-sound bench-time-left clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(if $(UV),$(UV) venv --quiet --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))

# Each stamp stands for one set of installed packages and is older than pyproject.toml when that changes.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/.installed
	$(INSTALL) -e '.[test]'
	@touch $@

$(VENV)/.installed-lint: pyproject.toml | $(VENV)/.installed
	$(INSTALL) -e '.[test,store,lint]'
	@touch $@

$(VENV)/.installed-store: pyproject.toml | $(VENV)/.installed-test
	$(INSTALL) -e '.[test,store,test-store]'
	@touch $@

$(VENV)/.installed-dask: pyproject.toml | $(VENV)/.installed-test
	$(INSTALL) -e '.[test,dask]'
	@touch $@

$(VENV)/.installed-contract: pyproject.toml | $(VENV)/.installed-test
	$(INSTALL) -e '.[test,contract]'
	@touch $@

$(VENV)/.installed-browser: pyproject.toml | $(VENV)/.installed-test
	$(INSTALL) -e '.[test,browser]'
	@touch $@

# Without npm the tests that want it say that it is missing.
build/axe-core/package/axe.min.js:
	@mkdir -p build/axe-core
	-cd build/axe-core && npm pack --silent axe-core@4 && tar -xzf axe-core-*.tgz

# One peer that can't be installed here keeps nobody from the others: the benchmark says which are missing.
$(VENV)/.installed-bench-noop: pyproject.toml | $(VENV)/.installed
	-$(INSTALL) 'ninja>=1.11' 'doit>=0.36'
	-$(INSTALL) 'snakemake>=9'
	@touch $@

$(VENV)/.installed-bench: pyproject.toml | $(VENV)/.installed
	$(INSTALL) -e '.[bench]'
	@touch $@

assets: $(VENV)/.installed ## make every asset of the sample manifests (GATEWAY=local is free; GATEWAY=aigateway pays)
	$(PIPELINE) run $(MANIFESTS) --gateway $(GATEWAY) $(RUN_OPTIONS)

plan: $(VENV)/.installed ## what `make assets` would do and cost
	$(PIPELINE) plan $(MANIFESTS) --gateway $(GATEWAY) $(RUN_OPTIONS)

check: $(VENV)/.installed ## is every asset there, whole, and right
	$(PIPELINE) check $(MANIFESTS)

# Whoever forbids Python to keep what it has compiled has every process compile the tests again.
test: $(VENV)/.installed-test ## run the tests
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -m 'not long' -n $(TEST_WORKERS) --dist worksteal $(TEST_OPTIONS)

test-long: $(VENV)/.installed-test ## the tests that `make test` leaves out: more kills, more nights, more music
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -m long -n $(TEST_WORKERS) --dist worksteal $(TEST_OPTIONS)

test-contract: $(VENV)/.installed-contract ## the local gateway against its OpenAPI document (a fuzzer) and the official client
	$(BIN)/python -m pytest tests/contract

test-store: $(VENV)/.installed-store ## a team's store: two machines and a real S3 server on loopback, kills, trouble
	STORE_TESTS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest tests/store -n $(TEST_WORKERS) --dist worksteal $(TEST_OPTIONS)

test-farm: $(VENV)/.installed-dask ## finishing on a farm: a Dask scheduler and two worker processes on loopback, kills, other versions
	FARM_TESTS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest tests/farm $(TEST_OPTIONS)

# Chromium itself is the system's: CHROMIUM names one, else it is looked for on PATH. REPORT_SCREENSHOTS names a folder for pictures.
test-browser: $(VENV)/.installed-browser build/axe-core/package/axe.min.js ## the report and the review in a real browser
	BROWSER_TESTS=1 $(BIN)/python -m pytest tests/browser -rs $(TEST_OPTIONS)

soak: SEEDS ?= 10000
soak: $(VENV)/.installed-test ## tell SEEDS nights of faults and deaths on virtual time (make soak SEEDS=10000)
	$(BIN)/python tests/simulation/soak.py --seeds $(SEEDS)

fuzz-audio: $(VENV)/.installed-test ## damage audio files for MINUTES, and see what the decoder makes of them
	$(BIN)/python tests/audio/audio_fuzz.py --minutes $(MINUTES)

plants: $(VENV)/.installed-test ## break the program on purpose, and see that the simulation notices
	$(BIN)/python tests/simulation/plants.py

test-all: ## run the tests under both event loops, on every Python from 3.11 to 3.14 that is found
	@.ci/test-all

lint: $(VENV)/.installed-lint ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-lint ## let ruff lay out the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

bench-local: $(VENV)/.installed-test ## the local gateway: seconds of audio a second, and latency while it composes
	$(BIN)/python benchmarks/composer_speed.py
	$(BIN)/python benchmarks/local_gateway_latency.py

bench-memory: $(VENV)/.installed-test ## how much memory finishing takes: ten minutes at 96 kHz within 1.5 GB
	$(BIN)/python benchmarks/finishing_memory.py

# The peers bring a compiler and 500 MB: an environment of their own keeps them out of everybody else's.
bench-sound: ## delivered files by an independent meter, loops, and speed beside the peers (228 MB of music from Debian, once)
	@$(MAKE) --no-print-directory VENV=$(VENV)-bench $(VENV)-bench/.installed-bench
	$(VENV)-bench/bin/python benchmarks/sound.py $(PARTS)

bench-noop: ## a run or plan with nothing to do, or little, beside make, ninja, doit and snakemake
	@$(MAKE) --no-print-directory VENV=$(VENV)-bench-noop $(VENV)-bench-noop/.installed-bench-noop
	$(VENV)-bench-noop/bin/python benchmarks/noop.py $(TRACKS)

bench-time-left: $(VENV)/.installed-test ## how far off the time left is that a terminal shows, in RUNS simulated runs of each regime
	$(BIN)/python benchmarks/time_left.py $(RUNS)

bench-pace: SEEDS ?= 10
bench-pace: $(VENV)/.installed-test ## how soon runs are over beside the official client, and beside what is possible at all, in SEEDS runs of each
	$(BIN)/python benchmarks/pace.py --seeds $(SEEDS) $(if $(REGIMES),--regimes '$(REGIMES)') $(if $(PLAYERS),--players '$(PLAYERS)')

bench-enterprise: $(VENV)/.installed ## 2,000 jobs in flight on real sockets: processor time beside a bare httpx loop, a round trip of 200 ms, memory
	$(BIN)/python benchmarks/enterprise.py $(JOBS)

bench-farm: $(VENV)/.installed-dask ## finishing on a Dask farm beside worker processes, two of either: seconds, and the same bytes
	$(BIN)/python benchmarks/farm.py $(TRACKS)

# 100,000 tracks take most of two hours, 3 GB of memory, and 8 GB below /dev/shm where that is large enough: TRACKS=1000 takes a minute.
bench-night: $(VENV)/.installed-test ## a night of TRACKS on four machines that share a key and a store: jobs, bills, time, requests, dollars
	$(BIN)/python benchmarks/night.py $(TRACKS)

bench-report: $(VENV)/.installed-test ## the report of 1,000 tracks: how long it takes to write, how large it is, how soon a browser has it
	$(BIN)/python benchmarks/report.py $(TRACKS)

bench: bench-local bench-memory ## every benchmark that needs nothing but this machine

clean: ## remove the virtual environment and caches; never assets, never .pipeline (what was paid for)
	rm -rf $(VENV) .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
