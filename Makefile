# What one does with a checkout. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup run test mutants soak faults lint lock schema

python := .venv/bin/python
cores = $(shell nproc)

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-14s %s\n' "$$name" "$$text"; done

setup: ## Make .venv and install what running, testing and linting need
	@./kaiser setup --dev

run: ## Start a simulated greenhouse with everything in it; Ctrl-C ends it
	@./kaiser demo

test: setup ## Run all tests; some of them: make test ARGS="tests/unit -k topics"
	@$(python) -m pytest --numprocesses $(cores) --dist worksteal $(ARGS)

mutants: setup ## Change what decides about safety again and again; count what the tests notice
	@$(python) -m pytest -q tests/unit/test_safety.py --cov=domain.safety --cov-branch --cov-report= \
		--cov-fail-under=100
	@$(python) -m tests.mutation.score

soak: setup ## Take a million random steps through the real services, in virtual time; 13 minutes of one core
	@KAISER_CORES=$(cores) $(python) -m tests.soak

faults: setup ## Kill server, broker and database 204 times while leases are open (18 minutes), 120 while rules run
	@KAISER_FAULTS=204 $(python) -m pytest -s tests/e2e/test_faults.py $(ARGS)
	@KAISER_FAULTS=120 $(python) -m pytest -s tests/e2e/test_rule_faults.py $(ARGS)

lint: setup ## Check style, formatting, types and the arrows between the layers
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy .
	@PYTHONPATH=. .venv/bin/lint-imports --no-cache

schema: ## Write the contracts that the code has: GraphQL, MQTT messages, MQTT topics
	@./kaiser export-schema > schema/schema.graphql.new
	@mv schema/schema.graphql.new schema/schema.graphql
	@./kaiser export-schema mqtt > docs/mqtt-schema.json.new
	@mv docs/mqtt-schema.json.new docs/mqtt-schema.json
	@./kaiser export-schema mqtt-topics > docs/MQTT_TOPICS.md.new
	@mv docs/MQTT_TOPICS.md.new docs/MQTT_TOPICS.md

# One resolution for every platform; no line may hold an address.
compile = .venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links $(ARGS)

lock: setup ## Bring both lock files to pyproject.toml; newest versions: make lock ARGS=--upgrade
	@test -x .venv/lock/bin/uv || { $(python) -m venv .venv/lock && \
		.venv/lock/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	@$(compile) --output-file requirements.lock pyproject.toml
	@$(compile) --output-file requirements-dev.lock --no-annotate \
		--constraint requirements.lock --group dev pyproject.toml
	@! grep -n '://' requirements.lock requirements-dev.lock
