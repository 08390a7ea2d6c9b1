# The only list of commands. Needs python3 (3.11 or newer) and make; everything else is installed into .venv.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
BIGQUERY_READY := .venv-bigquery/ready
EMULATOR_READY := .venv-bqemulator/ready
COMPILE := UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock"
PYTEST := $(BIN)/pytest -n 2 --dist loadfile $(if $(STRICT),--strict-skips) $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help bootstrap demo up refresh reconcile export backup restore status kpis quarantine replay probe simulator dashboard test test-all check format docs bench bench-peers bench-kpis soak soak-kills screenshots lock clean bigquery bigquery-live

help: ## List the commands
	@echo "make <command>   (settings come from the environment or .env, see .env.example)"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name words; do printf '%-14s %s\n' "$$name" "$$words"; done

bootstrap: $(READY) ## Create .venv and install the locked versions (done by every command that needs it)

$(READY): requirements-dev.lock pyproject.toml .ci/bootstrap
	@.ci/bootstrap $(VENV)

demo: $(READY) ## Run the whole job on an embedded simulator and print the KPIs; run it again for an incremental one
	@$(BIN)/maintainx demo $(ARGS)

up: $(READY) ## Start simulator (unless MAINTAINX_TOKEN is set), Dagster and dashboard; Ctrl-C stops all
	@$(BIN)/maintainx up $(ARGS)

refresh: $(READY) ## Run the whole job against MAINTAINX_URL
	@$(BIN)/maintainx refresh $(ARGS)

reconcile: $(READY) ## Compare the source with what is stored, and heal the differences
	@$(BIN)/maintainx reconcile $(ARGS)

export: $(READY) ## Write published tables as Parquet and CSV files (ARGS="--table kpis --format csv --since 2026-01-01")
	@$(BIN)/maintainx export $(ARGS)

backup: $(READY) ## Write what cannot be rebuilt (raw log, reported KPIs, quarantine, state) to a new backup folder
	@$(BIN)/maintainx backup $(ARGS)

restore: $(READY) ## Fill an empty warehouse from the newest backup (ARGS=<folder> for another one)
	@$(BIN)/maintainx restore $(ARGS)

status: $(READY) ## Say what is stored, how fresh it is, and what is published
	@$(BIN)/maintainx status $(ARGS)

kpis: $(READY) ## Evaluate the KPIs of a past date as they were known then (ARGS="--as-of 2026-10-03 --out then.duckdb")
	@$(BIN)/maintainx kpis $(ARGS)

quarantine: $(READY) ## Show the records that broke the contract (ARGS=replay tries them again, ARGS="discard <entry> --reason …" gives one up)
	@$(BIN)/maintainx quarantine $(or $(ARGS),list)

replay: $(READY) ## Verify every stored payload and rebuild raw's columns from them, without a request (ARGS=--check only verifies)
	@$(BIN)/maintainx replay $(ARGS)

probe: $(READY) ## Find out, reading only, what this MaintainX does where its documentation is silent
	@$(BIN)/maintainx probe $(ARGS)

simulator: $(READY) ## Run the stand-in MaintainX in the foreground (ARGS="--scale 10 --rate-limit 100")
	@$(BIN)/maintainx simulator $(ARGS)

dashboard: $(READY) ## Show the published KPIs in the browser
	@$(BIN)/maintainx dashboard $(ARGS)

bigquery: $(BIGQUERY_READY) $(EMULATOR_READY) ## Install dbt for BigQuery, Google's SQL analyser and the BigQuery stand-in of the tests, each beside .venv

.venv-%/ready: requirements-%.lock .ci/environment | $(READY)
	@VENV=$(VENV) .ci/environment $*

bigquery-live: $(READY) $(BIGQUERY_READY) ## Read a simulated plant into BIGQUERY_PROJECT, compare with DuckDB, remove it again (needs credentials; costs cents)
	@test -n "$(BIGQUERY_PROJECT)" || { echo "BIGQUERY_PROJECT is not set: name the Google Cloud project (docs/bigquery.md)"; exit 1; }
	@BIGQUERY_PROJECT="$(BIGQUERY_PROJECT)" $(BIN)/pytest -n 0 tests/bigquery/live.py $(ARGS)

test: $(READY) $(BIGQUERY_READY) $(EMULATOR_READY) ## Run the tests: the core first, then the shells; STRICT=1 makes a skip a failure
	@$(PYTEST) -m "not slow"

test-all: $(READY) $(BIGQUERY_READY) $(EMULATOR_READY) ## Run every test, the long proofs too
	@$(PYTEST)

check: $(READY) ## Lint, types, import rules, SQL format, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check
	$(BIN)/lint-imports --no-logo
	$(BIN)/sqlfmt --check --quiet --no-progressbar dbt/models dbt/tests dbt/macros
	$(BIN)/python -m docs.tables --check
	$(BIN)/python -m docs.reliability --check

format: $(READY) ## Format Python and SQL, fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfmt --quiet --no-progressbar dbt/models dbt/tests dbt/macros

docs: $(READY) ## Rewrite the generated tables, docs/reliability.md from the outcomes of the last tests, and the models' page in DATA_DIR/docs
	@$(BIN)/python -m docs.tables
	@$(BIN)/python -m docs.reliability
	@$(BIN)/maintainx docs

bench: $(READY) ## Measure extracts and refreshes of several sizes beside other tools and rewrite docs/performance.md
	@$(BIN)/python -m benchmarks.bench $(ARGS)

bench-peers: $(READY) ## Run dlt, Singer, Airbyte and a plain loop through the same simulated days and rewrite docs/side-by-side.md
	@$(BIN)/python -m benchmarks.peers $(ARGS)

bench-kpis: $(READY) ## Time the SQL of every KPI over a million work orders and more, copied from a built warehouse (ARGS="--orders 1000000 --from data/local")
	@$(BIN)/python -m benchmarks.kpis $(ARGS)

soak: $(READY) ## Let thirty simulated days pass over a source that changes and fails, compare, and rewrite docs/soak.md
	@$(BIN)/python -m benchmarks.soak $(ARGS)

soak-kills: $(READY) ## Kill 500 readings at random instants and compare what they recover to (ARGS="<kills> <seed>")
	@$(BIN)/python -m tests.kills.soak $(ARGS)

screenshots: $(READY) ## Photograph every dashboard page and the asset graph into DATA_DIR/screenshots (needs Chromium)
	@$(BIN)/python -m docs.screenshots $(ARGS)

lock: $(READY) ## Resolve pyproject.toml into the two hashed locks (ARGS=--upgrade for newer versions)
	$(COMPILE) pyproject.toml --output-file requirements.lock $(ARGS)
	$(COMPILE) pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock $(ARGS)
	$(COMPILE) requirements-bigquery.in --output-file requirements-bigquery.lock $(ARGS)
	$(COMPILE) requirements-bqemulator.in --output-file requirements-bqemulator.lock $(ARGS)

clean: $(READY) ## Remove what was made at run time (backups stay; ARGS=--backups removes them too)
	@$(BIN)/maintainx clean $(ARGS)
