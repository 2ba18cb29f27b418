# Every target works on a fresh Debian with Rust: what it needs, it fetches.
CARGO = cargo
PROFILE = target/release/herald

.PHONY: help run demo test contract-test check broken bench release

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

run: ## Serve on 127.0.0.1:8080 with data in ./herald-data
	$(CARGO) run --locked --release -- serve

demo: release ## A complete appliance with samples; nothing leaves the machine
	@$(PROFILE) demo

test: ## All tests, with a short contract-test
	$(CARGO) test --locked
	tests/clients/run --examples 1 --at-least 1000

contract-test: ## Thousands of generated requests, and a generated client, against the OpenAPI documents
	$(CARGO) build --locked
	tests/clients/run

check: ## What CI runs: format, lints, tests, documentation
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(MAKE) test
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps

broken: ## Breaks each promise on purpose: do the tests notice? Takes half an hour
	tests/broken/run

bench: release ## The figures of README, as ratios within one run
	@benches/postfix
	@$(CARGO) bench --locked --bench load

release: ## The binary, target/release/herald
	$(CARGO) build --locked --release
