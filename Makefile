# Each target does only what is out of date; `make` alone lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# The stream that the check of the wheel runs over.
DEMO_INPUT ?= tests/data/car_loan_analysis.csv.gz
# Test processes that run side by side. Kafka tests always share one process and one broker.
JOBS ?= 2
# How `make test` runs the tests. CI takes `coverage test-kafka test-page ...`: measuring costs half as much again.
TESTS ?= tests

BIN := .venv/bin
WHEEL := build/wheel
SOURCES := hatch_build.py $(shell find detectors producer consumer -name __pycache__ -prune -o -type f -print)
# Modules are compiled when they are first imported: that is most of the time of an installation.
PIP := -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --no-compile
LOCAL := --no-deps --no-build-isolation --no-index

# What is tested is what is installed, and is compiled once, not in each of hundreds of processes.
unexport PYTHONPATH PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install lint tests test-long unit test-kafka test-page test-retraining test-spark chart vendored outage states fleet restarts coverage nycflights stack-test wheel test demo picture docs kafka bench sequential pins clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-12s %s\n", $$1, $$2}'

install: .venv/.dev ## make .venv with Driftline (editable) and all tools, as pinned

# Another Python, asked for by name, makes the environments anew.
ifneq ($(filter command environment,$(firstword $(origin PYTHON))),)
ifneq ($(shell $(PYTHON) -V 2>/dev/null),$(shell cat .venv/.created 2>/dev/null))
.PHONY: .venv/.created
endif
endif

.venv/.created:
	@$(if $(PYTHON),:,echo "Python is missing. On Debian: apt-get install python3 python3-venv" >&2; exit 1)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Driftline needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -V > $@

# What runs Driftline from the checkout: enough for `make demo`, which says what pip downloaded for it.
.venv/.runtime: .venv/.created requirements.txt requirements-files.txt requirements-ui.txt requirements-build.txt pyproject.toml deploy/downloaded.py
	@echo "install: runtime"
	@$(BIN)/python $(INSTALL:--quiet=) --progress-bar off --require-hashes \
	  -r requirements.txt -r requirements-files.txt -r requirements-ui.txt -r requirements-build.txt > .venv/pip.txt
	@$(BIN)/python $(INSTALL) $(LOCAL) -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	@echo "install: tools"
	@$(BIN)/python $(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

lint: .venv/.dev ## ruff, ruff format, mypy, import-linter
	@echo "lint"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@mkdir -p build
	@$(BIN)/lint-imports > build/lint-imports.txt || { cat build/lint-imports.txt; exit 1; }

# Those with a broker mostly wait, so they cost little time beside the others.
tests: .venv/.dev ## the tests, those with a broker beside those without; not those of tests/long.txt
	@echo "test: without a broker, and with one"
	$(call both,not long)

test-long: .venv/.dev ## the same of tests/long.txt: random runs with kills, laws, simulations
	@echo "test: the long ones, without a broker, and with one"
	$(call both,long)

define both
@mkdir -p build
@$(BIN)/pytest -q -m "kafka and $(1)" tests/kafka > build/test-kafka.txt 2>&1 & kafka=$$!; \
  trap 'kill $$kafka' INT TERM; $(BIN)/pytest -q -n $(JOBS) --dist worksteal -m "not kafka and not page and not spark and $(1)"; code=$$?; \
  wait $$kafka || code=1; cat build/test-kafka.txt; exit $$code
endef

unit: .venv/.dev ## all tests that need no broker
	@echo "test: without a broker"
	@$(BIN)/pytest -q -n $(JOBS) --dist worksteal -m "not kafka and not page and not spark"

coverage: .venv/.dev ## the same, and fails where they reach less than the figure in pyproject.toml
	@echo "test: without a broker, measured"
	@mkdir -p build && $(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q -n $(JOBS) --dist worksteal -m "not kafka and not page and not spark"
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report > build/coverage.txt || { cat build/coverage.txt; exit 1; }
	@tail -n 1 build/coverage.txt

test-kafka: .venv/.dev ## the tests that need a broker; they start their own
	@echo "test: with a broker"
	@$(BIN)/pytest -q -m kafka tests/kafka

.venv/.page: .venv/.dev requirements-page.txt
	@echo "install: a driver of browsers"
	@$(BIN)/python $(INSTALL) --require-hashes -r requirements-page.txt
	@touch $@

test-page: .venv/.page build/site/index.html ## the page, the report and the docs in a browser (Debian: apt-get install chromium)
	@echo "test: in a browser"
	@$(BIN)/pytest -q -rs -m page tests/page

.venv/.retraining: .venv/.dev requirements-retraining.txt
	@echo "install: an orchestrator"
	@$(BIN)/python $(INSTALL) --require-hashes -r requirements-retraining.txt
	@touch $@

test-retraining: .venv/.retraining ## the example of retraining as a job of Dagster, with a broker
	@echo "test: retraining by an orchestrator"
	@DRIFTLINE_RETRAINING=1 $(BIN)/pytest -q -k the_flow tests/kafka/test_retraining.py

.venv/.spark: .venv/.dev requirements-spark.txt
	@echo "install: Spark"
	@$(BIN)/python $(INSTALL) --require-hashes -r requirements-spark.txt
	@touch $@

test-spark: .venv/.spark ## batches and streams on Spark, with a broker (Java 17, Maven; installs 450 MB)
	@echo "test: on Spark"
	@$(BIN)/pytest -q -rs -m spark tests/spark

screenshots: .venv/.page ## take docs/screenshots again, of real runs
	@DRIFTLINE_SCREENSHOTS=1 $(BIN)/pytest -q -k screenshots_are_taken tests/page/test_screenshots.py

vendored: ## compare what the page holds of others with their packages on npm (needs npm)
	@$(PYTHON) deploy/vendored.py

# Helm is no package of Debian or Python: its sources, and the Go that builds them, are pinned by hash.
TOOLS := deploy/helm/tool
build/tools/helm: .venv/.created $(TOOLS)/go.mod $(TOOLS)/go.sum $(TOOLS)/requirements.txt
	@echo "install: helm, from its sources"
	@$(BIN)/python $(INSTALL) --require-hashes --upgrade --target build/tools/go -r $(TOOLS)/requirements.txt
	@cd $(TOOLS) && CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly $(CURDIR)/build/tools/go/go/bin/go \
	  build -trimpath -ldflags "-s -w" -o $(CURDIR)/$@ helm.sh/helm/v3/cmd/helm

chart: .venv/.dev build/tools/helm ## the Helm chart: linted, rendered and valid by schemas
	@echo "test: the Helm chart"
	@$(BIN)/pytest -q tests/chart

outage: .venv/.dev ## a broker that is away for 90 s, and a supervisor that obeys the manual
	@DRIFTLINE_OUTAGE=90 $(BIN)/pytest -q -s -k outage_under tests/kafka/test_outage.py

states: .venv/.dev ## 20,000 models, 5,000 open alerts, and 110 features that fire at once, killed
	@DRIFTLINE_STATES="20000 5000 110 22" $(BIN)/pytest -q -s tests/kafka/test_large_state.py

fleet: .venv/.dev ## 20,000 models on one topic of a broker, killed three times (an hour, on a busy machine more)
	@$(BIN)/python -m benchmarks.fleet_broker --check

restarts: .venv/.dev ## 300 random runs with kills, against calm ones
	@DRIFTLINE_RUNS=300 $(BIN)/pytest -q -n $(JOBS) --dist worksteal tests/consumer/service/test_restart.py

nycflights: .venv/.dev ## late labels of all flights of 2013 over a broker (FLIGHTS=replay.parquet)
	@test -f "$(FLIGHTS)" || { echo "Give the file: make nycflights FLIGHTS=replay.parquet" >&2; exit 1; }
	@DRIFTLINE_FLIGHTS=$(abspath $(FLIGHTS)) $(BIN)/pytest -q -s -k flight_of_2013 tests/kafka/test_flights.py

stack-test: .venv/.dev ## bring up docker-compose.yml and see its alert everywhere (needs a Docker engine)
	@DRIFTLINE_STACK=1 $(BIN)/pytest -q -rs -s tests/stack

wheel: $(WHEEL)/.checked ## build the wheel, and run it in a fresh environment without its extras

$(WHEEL)/.pins: .venv/.created requirements.txt
	@$(BIN)/python -m venv --clear $(WHEEL)
	@$(WHEEL)/bin/python $(INSTALL) --require-hashes -r requirements.txt
	@touch $@

$(WHEEL)/.checked: $(WHEEL)/.pins .venv/.dev $(SOURCES) README.md LICENSE NOTICE tests/wheel/check.py $(DEMO_INPUT)
	@echo "wheel"
	@rm -rf dist
	@$(BIN)/python $(PIP) wheel $(LOCAL) --wheel-dir dist .
	@$(WHEEL)/bin/python $(INSTALL) --no-deps --no-index --force-reinstall dist/*.whl
	@$(WHEEL)/bin/python $(PIP) check
	@cd $(WHEEL) && bin/driftline --version && bin/driftline --help > help.txt && \
	  bin/driftline backtest --input $(abspath $(DEMO_INPUT)) > backtest.txt && \
	  grep -q car_value backtest.txt || { cat help.txt backtest.txt; exit 1; }
	@$(WHEEL)/bin/python tests/wheel/check.py $(DEMO_INPUT)
	@touch $@

test: install lint $(TESTS) wheel build/site/index.html ## linters, types, layers and the tests; .ci/run runs the long ones, too

demo: .venv/.runtime ## a stream that drifts, watched by the real service; needs Python alone
	@$(BIN)/driftline demo
	@$(BIN)/python deploy/downloaded.py .venv/pip.txt

picture: .venv/.runtime ## draw docs/demo.svg again, from a run of the demo
	@$(BIN)/python docs/picture.py

build/docs/.installed: docs/requirements.txt
	@$(PYTHON) -m venv --clear build/docs
	@build/docs/bin/python $(INSTALL) --require-hashes -r docs/requirements.txt
	@touch $@

# A link or an anchor that leads nowhere fails.
build/site/index.html: build/docs/.installed mkdocs.yml $(shell find docs -name __pycache__ -prune -o -type f -print)
	@echo "site"
	@build/docs/bin/zensical build --strict --clean > build/docs/built.txt 2>&1 || { cat build/docs/built.txt; exit 1; }
	@touch $@

docs: .venv/.runtime ## write the generated pages, and the site into build/site
	@$(BIN)/python docs/generate.py
	@$(MAKE) --no-print-directory build/site/index.html

kafka: ## start one Kafka broker on localhost:9092 (Java 17, Maven); ends with Ctrl-C
	@command -v java >/dev/null && { [ -d .kafka/libs ] || command -v mvn >/dev/null; } || \
	  { echo "A broker needs Java 17 and Maven. On Debian: apt-get install openjdk-17-jre-headless maven" >&2; exit 1; }
	@$(PYTHON) deploy/kafka/broker.py

bench: .venv/.dev ## measure throughput and memory against a broker
	@$(BIN)/python benchmarks

sequential: .venv/.dev ## one table of what alarms promise, beside other libraries (FLIGHTS=replay.parquet; 40 min)
	@$(BIN)/python -m benchmarks.sequential $(if $(FLIGHTS),--flights $(FLIGHTS))

# One resolution for all files: the tools' pins bind the others. UPGRADE=--upgrade moves them.
PINS = build/pins/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make pins"
REQUIRES = import sys, tomllib; t = tomllib.load(open("pyproject.toml", "rb")); \
  o = {**t["project"]["optional-dependencies"], "build": t["build-system"]["requires"], **t["dependency-groups"]}; \
  print(*o[sys.argv[1]], sep="\n")

PARTS = build files avro protobuf confluent ui notify references page retraining spark

pins: ## write the requirements*.txt again from pyproject.toml (UPGRADE=--upgrade: newest versions)
	@$(PYTHON) -m venv build/pins && build/pins/bin/python $(INSTALL) uv
	@for part in $(PARTS); do $(PYTHON) -c '$(REQUIRES)' $$part > build/pins/$$part.in || exit 1; done
	@$(PINS) $(UPGRADE) pyproject.toml --extra dev --extra files --extra avro --extra protobuf --extra confluent --extra ui --extra notify --extra references build/pins/build.in -o requirements-dev.txt
	@$(PINS) $(UPGRADE) pyproject.toml -c requirements-dev.txt -o requirements.txt
	@for part in $(PARTS); do \
	  $(PINS) $(UPGRADE) build/pins/$$part.in -c requirements-dev.txt -o requirements-$$part.txt || exit 1; done
	@$(PYTHON) -c '$(REQUIRES)' docs > build/pins/docs.in && \
	  $(PINS) $(UPGRADE) build/pins/docs.in -c requirements-dev.txt -o docs/requirements.txt
	@$(PYTHON) -c '$(REQUIRES)' chart > build/pins/chart.in && \
	  $(PINS) $(UPGRADE) build/pins/chart.in -o $(TOOLS)/requirements.txt

clean: ## remove everything that the other targets made
	@rm -rf .venv build dist .kafka .spark .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	@find . -name __pycache__ -prune -exec rm -rf {} +
