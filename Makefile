# Everything that is made stays in the checkout: .venv and .cache. `make` alone lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(CURDIR)/.cache/tools
DOCKERD := .cache/debian/docker.io/usr/sbin/dockerd
BUILDX := .cache/debian/docker-buildx/usr/libexec/docker/cli-plugins/docker-buildx
# Docker daemons and the podman account of the tests need root; unit tests do not.
AS_ROOT := $(shell test "$$(id -u)" = 0 || echo sudo -n)
# by themselves, so that no group of tests takes much longer than the others
STORES = $(addprefix tests/integration/test_,store.py system_limits.py secret_places.py verify.py \
	damaged_registry.py odd_answers.py)
MATRIX = PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 DOCKLESS_TOOLS_DIR=$(TOOLS)
CASES = $(AS_ROOT) env PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 DOCKLESS_TOOLS_DIR=$(TOOLS) \
	$(BIN)/python -m cases.run
RECORDS = .cache/matrix/records
SSH_RECORDS = .cache/ssh-matrix/records
PYTEST_AS_ROOT = $(AS_ROOT) env PYTHONDONTWRITEBYTECODE=1 DOCKLESS_TOOLS_DIR=$(TOOLS) \
	$(BIN)/pytest -p no:cacheprovider

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' Makefile | awk '{ name = $$1; sub(/^[a-z-]*: /, ""); printf "  %-14s %s\n", name, $$0 }'

.PHONY: test
test: ## Install what the tests need, then run every check and every test
	$(MAKE) packages
	$(MAKE) --jobs=3 $(VENV)/.dev $(DOCKERD) $(BUILDX)
	$(MAKE) tools
# the longest first, so that none of them is left alone at the end; the matrix builds its
# programs with a low priority, beside the others
	$(MAKE) --jobs=3 --output-sync=target others pushes matrix-quick hosts bundles stores logins \
		types unit contract checks ssh-matrix-quick cases-quick compat

.PHONY: quick
quick: $(VENV)/.dev $(TOOLS)/crane ## On a clean laptop, in minutes: checks, and pushes without root
	$(MAKE) checks
	DOCKLESS_TOOLS_DIR=$(TOOLS) $(BIN)/pytest -m laptop tests/integration

.PHONY: demo
demo: $(VENV)/.runtime ## Push a real image to a registry of its own, and compare what comes back
	$(BIN)/python -m demo.run

.PHONY: bench
bench: $(VENV)/.dev tools bench-packages ## Compare the speed with that of other tools; as root
	PYTHONPATH=tests DOCKLESS_TOOLS_DIR=$(TOOLS) $(BIN)/python -m benchmarks.run $(BENCH)

.PHONY: bench-packages
bench-packages: packages ## Install what `make bench` measures with
	sh scripts/debian-packages.sh benchmarks/debian-packages.txt

.PHONY: bench-remote
bench-remote: $(VENV)/.dev tools ## Compare pushes from hosts with OpenSSH; as root
	$(AS_ROOT) env PYTHONPATH=tests DOCKLESS_TOOLS_DIR=$(TOOLS) \
		$(BIN)/python -m benchmarks.remote $(BENCH)

.PHONY: bench-mirror
bench-mirror: $(VENV)/.dev tools ## Compare mirrors with loops of skopeo
	PYTHONPATH=tests DOCKLESS_TOOLS_DIR=$(TOOLS) $(BIN)/python -m benchmarks.mirror $(BENCH)

.PHONY: bench-scale
bench-scale: $(VENV)/.dev tools ## Measure bundles and mirrors of a thousand images
	PYTHONPATH=tests DOCKLESS_TOOLS_DIR=$(TOOLS) $(BIN)/python -m benchmarks.scale $(BENCH)

.PHONY: bench-pairs
bench-pairs: $(VENV)/.dev tools bench-packages ## Compare with an older revision: BEFORE=REVISION
	PYTHONPATH=tests DOCKLESS_TOOLS_DIR=$(TOOLS) $(BIN)/python -m benchmarks.pairs \
		--before $(BEFORE) $(BENCH)

.PHONY: checks
checks: lint types contracts unit ## Run what needs neither root nor a network

.PHONY: lint
lint: $(VENV)/.dev ## Check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

.PHONY: types
types: $(VENV)/.dev ## Check types
	$(BIN)/mypy

.PHONY: contracts
contracts: $(VENV)/.dev ## Check that imports point down
	$(BIN)/lint-imports

.PHONY: unit
unit: $(VENV)/.dev ## Run the unit tests: no sockets, no root
	$(BIN)/pytest tests/unit

.PHONY: messages
messages: $(VENV)/.dev ## Regenerate the table of messages for wrong command lines; read its diff
	WRITE_MESSAGES=1 $(BIN)/pytest -q tests/unit/cli/test_wrong_command_lines.py

.PHONY: contract
contract: $(VENV)/.dev tools ## Run the contract tests
	$(PYTEST_AS_ROOT) tests/contract

.PHONY: compat
compat: $(VENV)/.dev tools ## Read what older versions wrote
	$(PYTEST_AS_ROOT) tests/compat

.PHONY: integration
integration: pushes bundles stores logins others ## Run the tests on real daemons, registries and engines

.PHONY: pushes
pushes: $(VENV)/.dev tools ## Integration tests: single pushes only
	$(PYTEST_AS_ROOT) tests/integration/test_push_*.py

.PHONY: bundles
bundles: $(VENV)/.dev tools ## Integration tests: bundles and mirrors only
	$(PYTEST_AS_ROOT) tests/integration/test_bundle*.py tests/integration/test_mirror*.py

.PHONY: stores
stores: $(VENV)/.dev tools ## Integration tests: stores, receipts, limits and secrets only
	$(PYTEST_AS_ROOT) $(STORES)

.PHONY: logins
logins: $(VENV)/.dev tools ## Integration tests: logins and keyrings only
	$(PYTEST_AS_ROOT) tests/integration/test_login*.py tests/integration/test_kinds*.py \
		tests/integration/test_credential_helper.py

.PHONY: others
others: $(VENV)/.dev tools ## Integration tests: all others
	$(PYTEST_AS_ROOT) tests/integration --ignore=tests/integration/hosts \
		--ignore-glob='*/test_push_*.py' --ignore-glob='*/test_bundle*.py' \
		--ignore-glob='*/test_mirror*.py' --ignore-glob='*/test_login*.py' \
		--ignore-glob='*/test_kinds*.py' --ignore-glob='*/test_credential_helper.py' \
		$(STORES:%=--ignore=%)

.PHONY: faults
faults: $(VENV)/.dev tools ## Run every case of the tests that `make test` samples
	$(AS_ROOT) env DOCKLESS_TESTS=all PYTHONDONTWRITEBYTECODE=1 DOCKLESS_TOOLS_DIR=$(TOOLS) \
		$(BIN)/pytest -p no:cacheprovider -m sampled tests/integration

.PHONY: endurance
endurance: $(VENV)/.dev tools ## Mirror a thousand images through damage, a kill and a prune
	$(AS_ROOT) env DOCKLESS_ENDURANCE=1000 PYTHONDONTWRITEBYTECODE=1 DOCKLESS_TOOLS_DIR=$(TOOLS) \
		$(BIN)/pytest -p no:cacheprovider --timeout=3600 tests/integration/test_mirror_endurance.py

.PHONY: hosts
hosts: $(VENV)/.dev tools ## Run the tests on hosts of their own, in network namespaces
	$(PYTEST_AS_ROOT) tests/integration/hosts

.PHONY: cases
cases: $(VENV)/.dev tools ## Run inputs that once failed; print the expected and the actual result
	$(CASES) $(CASE)

.PHONY: cases-quick
cases-quick: $(VENV)/.dev tools ## The same, but only those that take seconds
	$(CASES) --quick

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Fuzz every input file; takes half an hour
	FUZZ_EVERY=1 $(BIN)/pytest tests/unit/test_outside.py --timeout=3600

.PHONY: matrix
matrix: $(VENV)/.dev tools packages ## Push with every engine to every registry; write docs/compatibility.md
	$(MATRIX) $(BIN)/python -m matrix.fetch
	rm -f $(RECORDS)
	status=0; $(AS_ROOT) env DOCKLESS_MATRIX_RECORDS=$(CURDIR)/$(RECORDS) \
		PYTHONDONTWRITEBYTECODE=1 DOCKLESS_TOOLS_DIR=$(TOOLS) \
		$(BIN)/pytest -p no:cacheprovider tests/matrix || status=$$?; \
	$(MATRIX) $(BIN)/python -m matrix.page $(RECORDS) && exit $$status

.PHONY: matrix-quick
matrix-quick: $(VENV)/.dev tools ## The same, with the oldest and newest engines and two registries only
	$(MATRIX) $(BIN)/python -m matrix.fetch --quick
	$(PYTEST_AS_ROOT) tests/matrix -m quick

.PHONY: ssh-matrix
ssh-matrix: $(VENV)/.dev tools packages ## Reach hosts of every kind by ssh and by dockless; write docs/ssh.md
	rm -f $(SSH_RECORDS); mkdir -p $(dir $(SSH_RECORDS))
	status=0; $(AS_ROOT) env DOCKLESS_SSH_RECORDS=$(CURDIR)/$(SSH_RECORDS) DOCKLESS_TESTS=all \
		PYTHONDONTWRITEBYTECODE=1 DOCKLESS_TOOLS_DIR=$(TOOLS) \
		$(BIN)/pytest -p no:cacheprovider tests/ssh_matrix || status=$$?; \
	$(MATRIX) $(BIN)/python -m ssh_matrix.page $(SSH_RECORDS) && exit $$status

.PHONY: ssh-matrix-quick
ssh-matrix-quick: $(VENV)/.dev tools ## Of it, one set-up of five
	$(PYTEST_AS_ROOT) tests/ssh_matrix

.PHONY: newest
newest: $(VENV)/.dev tools packages ## Try the newest engines, registries and container tools
	$(AS_ROOT) env $(MATRIX) $(BIN)/python -m matrix.newest

.PHONY: packages
packages: ## Install the Debian packages that the tests need
	sh scripts/debian-packages.sh tests/debian-packages.txt

.PHONY: tools
tools: $(TOOLS)/crane $(DOCKERD) $(BUILDX) ## Fetch crane, and a Docker newer than Debian 12's

.PHONY: clean
clean: ## Remove everything that was made
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(TOOLS)/crane: | $(VENV)/.runtime
	DOCKLESS_TOOLS_DIR=$(TOOLS) $(BIN)/dockless tools install

$(BUILDX):
	sh scripts/debian-unpack.sh docker-buildx forky .cache/debian/docker-buildx

$(DOCKERD):
	sh scripts/debian-unpack.sh docker.io forky .cache/debian/docker.io

$(VENV)/.runtime: pyproject.toml scripts/venv.sh
	sh scripts/venv.sh $(VENV) -e .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime
	sh scripts/venv.sh $(VENV) --no-compile --group dev
# what pip would do on one core; some packages have files for other versions of Python
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	touch $@
