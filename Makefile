# The first target that needs it makes .venv and installs everything into it, once per change of pyproject.toml.
# Choose another Python with: make test PYTHON=/path/to/python3.12. More arguments: make test ARGS='-k shards'.

SHELL := bash
VENV := .venv
BIN := $(VENV)/bin
ALL := $(VENV)/.installed-all
BENCH := $(VENV)/.installed-bench
SUPPORTED := import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# A process more than cores, as some tests wait for others, four at most: each holds torch. What a file of tests shares is
# made once.
PROCESSES := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := $(BIN)/python -m pytest --numprocesses $(PROCESSES) --maxprocesses 4 --dist loadfile
PIP_INSTALL := $(BIN)/python -m pip install --progress-bar off

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The tests start hundreds of processes: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-models test test-all check format reference bench bench-gpu clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(ALL) ## the whole loop on a small drawn world: from URLs to a report
	@$(BIN)/python -m diptych.demo $(ARGS)

demo-models: $(ALL) ## train the demo's models again in out/demo-models (hours on a CPU; stopped, it goes on)
	@$(BIN)/python -m diptych.demo.training everything --out out/demo-models $(ARGS)

test: $(ALL) ## run the tests (minutes, no network, no GPU)
	@$(PYTEST) $(ARGS)

test-all: $(ALL) ## run all tests, the slow ones too
	@$(PYTEST) -m "" $(ARGS)

check: $(ALL) ## check format, lint, types and import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports

format: $(ALL) ## format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

reference: $(ALL) ## write docs/reference.md anew from the code
	@PYTHONPATH=src:tests $(BIN)/python tests/reference_page.py

# A benchmark whose data is not there says so and ends with 0; one that fails does not keep the next from running.
bench: $(BENCH) ## run the benchmarks, one after the other
	@failed=; \
	for file in tests/benchmarks/bench_*.py; do \
	    [ -e "$$file" ] || continue; \
	    echo "== $$file"; \
	    $(BIN)/python "$$file" || failed="$$failed $$file"; \
	done; \
	[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

bench-gpu: $(ALL) ## measure what one card does (under eight minutes, 80 GB, no network)
	@$(BIN)/python tests/gpu/bench_gpu.py $(ARGS)

clean: ## remove caches and build results, but not .venv
	rm -rf build dist demo-run .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	find . -path ./$(VENV) -prune -o \( -name __pycache__ -o -name '*.egg-info' \) -type d -prune -exec rm -rf {} +

# Each candidate is run, not only looked up: a version manager's stand-in exists for versions that are not there.
$(BIN)/python:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	    if "$$python" -c '$(SUPPORTED)' 2>/dev/null; then \
	        echo "making $(VENV) with $$("$$python" --version)"; \
	        exec "$$python" -m venv --clear $(VENV); \
	    fi; \
	done; \
	echo "Error: no Python 3.11 to 3.13 with venv found; install one, or name it: make PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(ALL): pyproject.toml | $(BIN)/python
	@echo "installing diptych and all its parts into $(VENV) (several GB and some minutes the first time)"
	@set -o pipefail; $(PIP_INSTALL) -e '.[all,dev]' | sed -n -e '/^Collecting/p' -e '/^Installing/p' -e '/^Success/p'
	@touch $@

$(BENCH): $(ALL)
	@echo "installing what only the benchmarks need"
	@set -o pipefail; $(PIP_INSTALL) -e '.[bench]' | sed -n -e '/^Collecting/p' -e '/^Installing/p' -e '/^Success/p'
	@touch $@
