# Every target works on a fresh Debian with Rust: what it needs, it fetches.
CARGO = cargo
PROFILE = target/release/herald

.PHONY: help run demo test contract-test kill-loop power-cuts browser-test browser-bench screenshots check broken bench release

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: ## Serve on 127.0.0.1:8080 with data in ./herald-data
	$(CARGO) run --locked --release -- serve

demo: release ## A complete appliance with samples; nothing leaves the machine
	@$(PROFILE) demo

test: ## All tests, with a short contract-test
	$(CARGO) test --locked
	tests/clients/run --examples 1 --at-least 1000
	tests/browser/run tests/browser/all.mjs

contract-test: ## Thousands of generated requests, and a generated client, against the OpenAPI documents
	$(CARGO) build --locked
	tests/clients/run

kill-loop: ## kill -9, 200 times over 10,000 messages: none is lost (HERALD_KILL_LOOP_SENDS, _KILLS, _SEED)
	HERALD_KILL_LOOP_SENDS=$${HERALD_KILL_LOOP_SENDS:-10000} HERALD_KILL_LOOP_KILLS=$${HERALD_KILL_LOOP_KILLS:-200} \
		HERALD_KILL_LOOP_READY_MILLIS=$${HERALD_KILL_LOOP_READY_MILLIS:-2000} \
		$(CARGO) test --locked --test it crash::kill_loop -- --nocapture

power-cuts: ## Cut the power 400 times under a recorded run: nothing accepted is lost (HERALD_POWER_CUTS, _SENDS, _SEED)
	HERALD_POWER_CUTS=$${HERALD_POWER_CUTS:-400} HERALD_POWER_CUTS_SENDS=$${HERALD_POWER_CUTS_SENDS:-1000} \
		$(CARGO) test --locked --test it crash::power -- --nocapture

browser-test: ## The pages, in a real Chromium
	$(CARGO) build --locked
	tests/browser/run tests/browser/all.mjs

browser-bench: release ## How soon each page is there beside 100,000 users and 1,000,000 messages
	HERALD_BINARY=$(PROFILE) tests/browser/run tests/browser/big.mjs

screenshots: ## The pictures of the pages in README
	$(CARGO) build --locked
	tests/browser/run tests/browser/screenshots.mjs

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
