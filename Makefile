# Everything a newcomer needs: `make demo` and `make test`. Only Python 3.11+ must be there before.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=

.PHONY: demo test lint gate bench bench-peers soak clean install simulate

install: $(STAMP)

# The environment is made anew when what is pinned changes.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Hadron needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Try: make $(MAKECMDGOALS) PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[arrow,backtest,local,polars,registry]" --group dev
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/hadron demo $(ARGS)

# Two at a time, file by file, each with servers of its own: most tests wait for something. ARGS="-n 0"
# runs one at a time.
test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas --check

# Whether a hot path became slower than tests/benchmarks/baseline.json allows.
gate: $(STAMP)
	$(BIN)/python -m tests.benchmarks.gate $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks $(ARGS)

# Others at the same work, each installed into an environment of its own under .peers. Where one needs
# a newer Python than there is in PATH, PEERS_PYTHON may name it.
bench-peers: $(STAMP)
	$(BIN)/python -m tests.benchmarks.peers $(ARGS)

soak: $(STAMP)
	$(BIN)/python -m tests.soak $(ARGS)

simulate: $(STAMP)
	$(BIN)/python -m tests.simulation $(or $(ARGS),--schedules 2000)

clean:
	-$(BIN)/hadron down
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
