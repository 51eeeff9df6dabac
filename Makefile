# Façade over CMake and the scripts: `make help` lists what there is. Everything may be repeated; what
# is up to date costs nothing.

PRESET ?= release
SECONDS ?= 60
MINUTES ?=
PREFIX ?= /usr/local
IMAGES ?= 500
T ?=
SEED ?=
SEEDS ?=
TRACE ?=
ONLY ?=
ARGS ?=

dir = $(if $(filter release,$(PRESET)),build,build-$(PRESET))
python = .cache/venv/bin/python

.PHONY: all help run demo test conformance differential bench sim sim-mutants kills fuzz coverage powercut bitrot soak lint tidy fmt
.PHONY: install clean
.DEFAULT_GOAL := all

all: ## build the program: build/eider
	@scripts/bootstrap build
	@scripts/build $(PRESET) eider

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

run: all ## start a server with data in ./data (ARGS=... for options)
	@exec $(dir)/eider server --data-dir data $(ARGS)

demo: all ## stock pyfluss: 336,776 flights, then tables with primary keys; psql asks about them
	@scripts/bootstrap demo
	@EIDER_BIN=$(CURDIR)/$(dir)/eider scripts/demo

test: ## fuzzing, unit tests, corpora, simulated lives, black-box tests; then all of it again under ASan and UBSan
	@scripts/bootstrap build test fuzz
	@python3 tools/run_tests.py

conformance: all ## the suites that ship inside the released clients fluss-rs and pyfluss
	@scripts/bootstrap test
	@EIDER_BIN=$(CURDIR)/$(dir)/eider test/conformance/run $(ARGS)

differential: all ## the same requests to Eider and to Apache Fluss 0.9.1: equal answers
	@scripts/bootstrap test
	@EIDER_BIN=$(CURDIR)/$(dir)/eider $(python) -m pytest test/differential -q $(ARGS)

bench: all ## the same load on Eider and on Apache Fluss 0.9.1, with ratios; ONLY=log, ONLY=kv or ONLY=sql
	@scripts/bootstrap test bench
	@EIDER_BIN=$(CURDIR)/$(dir)/eider $(if $(filter sql,$(ONLY)),$(python) bench/sql,bench/run $(if $(ONLY),--only $(ONLY))) $(ARGS)

powercut: ## the program on what power cuts may leave: IMAGES=n SEED=s
	@scripts/bootstrap build test
	@scripts/build $(PRESET) eider
	@cd test/system && EIDER_BIN=$(CURDIR)/$(dir)/eider ../../$(python) -m powercut.cut \
	  --images $(IMAGES) --seed $(or $(SEED),1) $(ARGS)

bitrot: ## damaged data directories, judged byte by byte: FLIPS=n SECTORS=n SEED=s JOBS=n
	@scripts/bootstrap build test
	@scripts/build $(PRESET) eider
	@cd test/system && EIDER_BIN=$(CURDIR)/$(dir)/eider ../../$(python) -m bitrot.rot \
	  --flips $(or $(FLIPS),1000) --sectors $(or $(SECTORS),100) --seed $(or $(SEED),1) \
	  --jobs $(or $(JOBS),1)

soak: all ## the slow black-box tests; MINUTES=n: instead, new seeds of everything, that long, SEED=s the first
	@scripts/bootstrap build test $(if $(MINUTES),fuzz)
	@$(if $(MINUTES),scripts/build $(PRESET) && scripts/build fuzz && $(python) tools/soak.py --minutes $(MINUTES) \
	  --build $(dir) $(if $(SEED),--seed $(SEED)),\
	  EIDER_BIN=$(CURDIR)/$(dir)/eider $(python) -m pytest test/system -m slow -q $(ARGS))

sim: ## the server in a simulated world: SEED=n [TRACE=1] for one life, SEEDS=a-b for many
	@scripts/bootstrap build test
	@scripts/build $(PRESET) eider_sim
	@$(dir)/eider_sim $(if $(SEED),$(SEED) $(if $(TRACE),--trace),$(or $(SEEDS),1-2000) --jobs $$(nproc))

kills: all ## the clients of sim against the real program, kill -9 in between: SEED=n KILLS=n SECONDS=n
	@scripts/bootstrap build test
	@scripts/build $(PRESET) eider_kills
	@data=$$(mktemp -d) && $(dir)/eider_kills $(dir)/eider $$data $(or $(SEED),1) $(SECONDS) \
		$(or $(KILLS),20) && rm -rf $$data

sim-mutants: ## every mutant of the server through the simulator until a checker finds it, as a table; SEEDS=n at most
	@scripts/bootstrap build test
	@scripts/build mutants eider_sim
	@test/sim/mutants build-mutants/eider_sim $(or $(SEEDS),1000)

fuzz: ## libFuzzer: SECONDS=n of processors for each target, T=name for one target or one parser
	@scripts/bootstrap build fuzz
	@scripts/build fuzz
	@tools/fuzz.py --seconds $(SECONDS) $(T)

coverage: ## lines and branches that the tests reach, per file and module, against the bounds (some minutes)
	@scripts/bootstrap build test fuzz coverage
	@scripts/build coverage
	@python3 tools/coverage.py $(ARGS)

lint: ## the rules of STYLE.md that a program can check
	@scripts/bootstrap build lint
	@python3 tools/lint.py
	@scripts/build release eider
	@tools/check_symbols.sh build/eider

tidy: ## clang-tidy over src/ (slow)
	@scripts/bootstrap build tidy fuzz
	@scripts/build dev
	@git ls-files 'src/*.c' | xargs -P $$(nproc) -n 4 clang-tidy -p build-dev --quiet

fmt: ## format every C file in place
	@scripts/bootstrap lint
	@python3 tools/lint.py --files | xargs clang-format -i

install: all ## copy the program to PREFIX/bin
	@cmake --install $(dir) --prefix $(PREFIX)

clean: ## remove what was built (.cache stays)
	@rm -rf build build-dev build-asan build-tsan build-fuzz build-mutants build-coverage
