# Everything a checkout needs is made by the targets themselves: .venv from Python 3.13, .venv-sam for SAM,
# .venv-mutation for mutmut.

# Each can be set on the command line or in the environment: `make run PORT=9000`, `PORT=9000 make run`.
PORT ?= 8080
TWILIO_PORT ?= 8081
HOST ?= 127.0.0.1
OPEN ?=
STATE ?=
SCRIPT ?=
SEEDS ?= 10000
FIRST_SEED ?= 0
SAMPLE ?= 200
SEED ?= 0
FLAGS ?=
PROVIDERS ?=
EVENT ?= events/webhook/sms.json
MACHINE := $(subst aarch64,arm64,$(shell uname -m))
ARCHITECTURE ?= arm64

export PYTHONPATH = layers/switchboard
export SAM_CLI_TELEMETRY = 0

# On PATH, or among pyenv's; `.python-version` makes pyenv's shims answer here.
PYTHON = $(firstword $(shell for python in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13*/bin/python python3; \
	do "$$python" -c 'import sys; sys.version_info[:2] == (3, 13) and print(sys.executable)' 2>/dev/null; done))
NO_PYTHON = Python 3.13 is neither on PATH nor among the versions of pyenv. Install it, for example: pyenv install 3.13
NO_UV = make lock needs uv. Install it, for example: pipx install uv
NODE_PACKAGES = tests/contract/node/node_modules/.installed
INSTALL = -m pip install --quiet --require-hashes --requirement
SAM = PATH="$(CURDIR)/.venv-sam/bin:$$PATH" .venv-sam/bin/sam
# SAM ships sources only, and Lambda's folders cannot be written: without this every cold start compiles everything.
# Not by date, because SAM's archive has none; the paths are those that a traceback shows on Lambda.
COMPILE = .venv-sam/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash
# The last step of a build writes a file named after the checksum of the sources: while they are unchanged, there is
# nothing to build. SAM empties the folder first, so a build that failed has no such file. Checksums, because dates do
# not show that a source was deleted.
SOURCES := $(shell find Makefile template.yaml functions layers -type f ! -path '*/__pycache__/*' -exec cksum {} + \
	| LC_ALL=C sort | cksum | cut -d ' ' -f 1)
BUILT = .aws-sam/build/.$(MACHINE)-$(SOURCES)
LOCK = uv pip compile --quiet --python-version 3.13 --python-platform linux --generate-hashes --annotation-style line \
	--no-header --no-emit-index-url --no-emit-find-links $(FLAGS)
LAYER = layers/switchboard/pyproject.toml --extra aws --extra agents
PACKAGES = $(LAYER) twilio_emulator/pyproject.toml
ALL_PROVIDERS = openai anthropic google
WITH = $(foreach provider,$(1),--extra $(provider))

.DEFAULT_GOAL := help
.PHONY: help run demo chat test eval check format simulate mutate bench screenshots build validate invoke deploy redrive lock clean

help: ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

run: .venv/local ## Run everything here, no account needed: PORT=8080 TWILIO_PORT=8081 HOST=127.0.0.1 OPEN= STATE= SCRIPT=
	@.venv/bin/python -m local --port $(PORT) --twilio-port $(TWILIO_PORT) --host $(HOST) \
		$(if $(STATE),--state '$(STATE)') $(if $(SCRIPT),--script '$(SCRIPT)') $(if $(filter-out 0,$(OPEN)),--open)

demo: .venv/local ## The same, its page in your browser; it keeps nothing: PORT=8080 TWILIO_PORT=8081 SCRIPT=
	@.venv/bin/python -m local --demo --port $(PORT) --twilio-port $(TWILIO_PORT) $(if $(SCRIPT),--script '$(SCRIPT)')

chat: .venv/local ## Talk with the assistant in the terminal, tool calls shown: ASSISTANT_MODEL=offline SCRIPT=
	@.venv/bin/python -m local.chat $(if $(SCRIPT),--script '$(SCRIPT)')

# Some tests ask Node's package of Twilio. Without npm they are skipped, and the summary says so. Four processes also on
# two cores: a test with a stack of its own waits more than it works.
test: .venv/dev $(if $(shell command -v npm 2>/dev/null),$(NODE_PACKAGES)) ## Run all tests
	.venv/bin/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

eval: .venv/local ## Ask the assistant the cases of evals/, and print the share of good answers: FLAGS="--json FILE"
	@.venv/bin/python -m evals $(FLAGS)

check: .venv/dev ## Lint, look at the format, check types and the import contracts
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy --package switchboard --package local --package twilio_emulator --package tests --package bench --package evals
	.venv/bin/mypy examples/*.py
	for function in functions/*; do MYPYPATH=$$function .venv/bin/mypy $$function/*.py || exit 1; done
	PYTHONPATH=layers/switchboard:. .venv/bin/lint-imports

format: .venv/dev ## Format the code, and fix what the linter can fix
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

simulate: .venv/dev ## Run seeded schedules of many conversations under faults: SEEDS=10000 FIRST_SEED=0
	.venv/bin/python -m tests.simulation schedules --seeds $(SEEDS) --first-seed $(FIRST_SEED) $(FLAGS)

mutate: .venv/dev .venv-mutation/installed ## Print which small changes of the code no test notices: SAMPLE=200 SEED=0
	.venv-mutation/bin/python -m tests.mutation --sample $(SAMPLE) --seed $(SEED) $(FLAGS)

bench: .venv/dev build ## Measure cold start, warm webhook, a batch and the emulator, as ratios
	.venv/bin/python -m bench

screenshots: .venv/dev ## Take the pictures of docs/pictures anew, in the Chromium of this machine
	.venv/bin/python -m tests.page.screenshots

build: $(BUILT) ## Build the functions and the layer for this machine, if they changed

validate: .venv-sam/installed ## Check template.yaml
	$(SAM) validate --lint

invoke: .venv/local ## Build, and run a function in Docker against `make run`: EVENT=events/webhook/sms.json
	@.venv/bin/python -m local.invoke $(EVENT)

# local.deploy reads TWILIO_SECRET_ARN and PARAMETERS from the environment, so that no shell splits their values here.
deploy: .venv/local .venv-sam/installed ## Build and deploy to AWS: TWILIO_SECRET_ARN= PARAMETERS="Name=Value …" ARCHITECTURE=arm64
	@.venv/bin/python -m local.deploy --check --template template.yaml --architecture $(ARCHITECTURE)
	$(SAM) build --build-dir .aws-sam/$(ARCHITECTURE) --parameter-overrides Architecture=$(ARCHITECTURE)
	$(call compile,.aws-sam/$(ARCHITECTURE))
	@PATH="$(CURDIR)/.venv-sam/bin:$$PATH" .venv/bin/python -m local.deploy \
		--template .aws-sam/$(ARCHITECTURE)/template.yaml --architecture $(ARCHITECTURE) -- $(FLAGS)

redrive: .venv/local ## Put the dead letters back on their queue; FLAGS="--conversation CH…", FLAGS=--local for `make run`
	@.venv/bin/python -m local.redrive $(FLAGS)

lock: ## Pin the newest requirements, with hashes; needs uv. FLAGS="--upgrade-package boto3" raises one
	@command -v uv >/dev/null || { echo "$(NO_UV)"; exit 1; }
	$(LOCK) requirements/dev.in $(PACKAGES) $(call WITH,$(ALL_PROVIDERS)) --output-file requirements/dev.txt
	$(LOCK) requirements/local.in $(PACKAGES) $(call WITH,$(PROVIDERS)) --constraint requirements/dev.txt \
		--output-file requirements/local.txt
	$(LOCK) $(LAYER) $(call WITH,$(PROVIDERS)) --constraint requirements/dev.txt --output-file layers/switchboard/requirements.txt
	$(LOCK) requirements/sam.in --output-file requirements/sam.txt
	$(LOCK) requirements/mutation.in --constraint requirements/dev.txt --output-file requirements/mutation.txt

clean: ## Remove what make made: environments, builds, caches, the logs of runs
	rm -rf .venv .venv-sam .venv-mutation .aws-sam .local .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	rm -rf tests/contract/node/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BUILT): .venv-sam/installed
	$(SAM) build --cached --parameter-overrides Architecture=$(MACHINE)
	$(call compile,.aws-sam/build)
	@touch $@

define compile
	$(COMPILE) -s $(1)/SwitchboardLayer -p /opt $(1)/SwitchboardLayer
	for function in $(1)/*Function; do $(COMPILE) -s $$function -p /var/task $$function || exit 1; done
endef

# An environment whose creation failed or was interrupted has no pip: remove it and make it again.
define environment
	@$(1)/bin/python -m pip --version >/dev/null 2>&1 || { test -n "$(PYTHON)" || { echo "$(NO_PYTHON)"; exit 1; }; \
		echo "$(1) is incomplete: making it again" && rm -rf $(1) && $(PYTHON) -m venv $(1); }
endef

# `import switchboard` works in .venv from any folder. Not the root too: the functions of `make run` use this .venv.
define on_path
	@echo '$(CURDIR)/layers/switchboard' > .venv/lib/python3.13/site-packages/checkout.pth
endef

.venv/bin/python:
	$(if $(PYTHON),,$(error $(NO_PYTHON)))
	$(PYTHON) -m venv .venv

.venv-sam/bin/python:
	$(if $(PYTHON),,$(error $(NO_PYTHON)))
	$(PYTHON) -m venv .venv-sam

.venv-mutation/bin/python:
	$(if $(PYTHON),,$(error $(NO_PYTHON)))
	$(PYTHON) -m venv .venv-mutation

.venv/local: requirements/local.txt | .venv/bin/python
	$(call environment,.venv)
	.venv/bin/python $(INSTALL) $<
	$(on_path)
	@touch $@

.venv/dev: requirements/dev.txt | .venv/bin/python
	$(call environment,.venv)
	.venv/bin/python $(INSTALL) $<
	$(on_path)
	@touch $@ .venv/local

.venv-sam/installed: requirements/sam.txt | .venv-sam/bin/python
	$(call environment,.venv-sam)
	.venv-sam/bin/python $(INSTALL) $<
	@touch $@

.venv-mutation/installed: requirements/mutation.txt | .venv-mutation/bin/python
	$(call environment,.venv-mutation)
	.venv-mutation/bin/python $(INSTALL) $<
	@touch $@

$(NODE_PACKAGES): tests/contract/node/package-lock.json
	cd tests/contract/node && npm ci --loglevel=error
	@touch $@
