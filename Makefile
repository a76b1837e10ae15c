# Dialtone: `make help` lists what there is.

PYTHON := $(CURDIR)/.venv/bin/python
export DIALTONE_PYTHON := $(PYTHON)

.PHONY: help demo test test-servers test-api test-release simulate fuzz lives chaos build bench million setup lint format clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/'

demo: setup ## Build, then show the whole story on this machine. Ctrl-C ends it.
	swift build --product dialtone
	.build/debug/dialtone demo

test: setup ## Build and run every test; they start their own PostgreSQL.
	swift build --build-tests
	scripts/test-all

test-servers: setup ## Build and run every test but the simulation on PostgreSQL 15, 16, 17 and 18; then a table.
	swift build --build-tests
	scripts/test-servers

test-api: setup ## Let schemathesis try every route of docs/openapi.yaml, EXAMPLES=40 for each.
	swift build --build-tests
	scripts/test-api

test-release: setup ## Build the program for release, and run the tests of the program on that build.
	swift build -c release --product dialtone
	swift build --build-tests
	DIALTONE_TEST_PROGRAM=.build/release/dialtone swift test --skip-build --disable-xctest --filter '^dialtoneTests\.'

simulate: setup ## Simulate SEEDS=1000000 lives under every fault, from seed FIRST=0 on; a failing one tells its story.
	swift build --build-tests
	DIALTONE_SEEDS=$(or $(SEEDS),1000000) DIALTONE_FIRST_SEED=$(or $(FIRST),0) \
	    swift test --skip-build --disable-xctest --filter SimulationTests

fuzz: setup ## Try N=10000000 made-up bodies, proofs and times, from input FIRST=0 on; a failing one is named.
	swift build --build-tests
	DIALTONE_FUZZ_INPUTS=$(or $(N),10000000) DIALTONE_FIRST_INPUT=$(or $(FIRST),0) \
	    swift test --skip-build --disable-xctest --filter FuzzTests

lives: setup ## Tell N=100000 made-up lives in every order to a model, and SQL=N of them to PostgreSQL, from life FIRST=0 on.
	swift build --build-tests
	DIALTONE_LIVES=$(or $(N),100000) DIALTONE_STATEMENT_LIVES=$(or $(SQL),$(N),100000) \
	    DIALTONE_FIRST_LIFE=$(or $(FIRST),0) swift test --skip-build --disable-xctest --filter LivesTests

chaos: setup ## ROUNDS=20 of everything that can break, on real processes and servers; then the count, as one line of JSON.
	swift build --product dialtone
	swift build --product dialtone-chaos
	.build/debug/dialtone-chaos $(or $(ROUNDS),20)

build: setup ## Build the program (debug).
	swift build --product dialtone

bench: setup ## Measure this machine: release build, then every figure as JSON. Takes about ten minutes after the build.
	swift build -c release --product dialtone
	swift build -c release --product dialtone-bench
	.build/release/dialtone-bench

million: setup ## Onboard USERS=1000000 users of one tenant from signed webhooks, then compare ledger and provider.
	swift build -c release --product dialtone
	swift build -c release --product dialtone-bench
	.build/release/dialtone-bench million --users $(or $(USERS),1000000)

setup: ## Install what is missing: libpq, PostgreSQL, a Python for the checks. Quick when all is there.
	@scripts/setup

lint: ## Check format, arrows between targets, sizes, links and packages.
	swift format lint --strict --recursive Sources Tests Benchmarks Package.swift
	scripts/check-imports
	scripts/check-imports --self-test
	scripts/check-house
	scripts/check-house --self-test
	scripts/list-packages --check
	$(PYTHON) scripts/openapi --check

format: ## Put the code into its format.
	swift format --in-place --recursive Sources Tests Benchmarks Package.swift

clean: ## Remove what was built and the demo's data.
	rm -rf .build .venv .dialtone
