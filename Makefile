# Python >= 3.11 and make are all that must be there. The environment, .venv, is made when it is needed.
# `make demo ARGS='--seconds 60'` passes arguments on; PYTHON=/path/to/python chooses the Python of a new .venv.

PYTHON ?=
export PYTHON

# A line or branch of layers 0 to 2 that no test runs fails `make test`; tests/test_layers.py keeps the list whole.
COVERED = rxws/redaction.py,rxws/errors.py,rxws/events.py,rxws/types.py,rxws/arguments.py,rxws/decoding.py,rxws/backoff.py,rxws/_calendar.py,rxws/windows.py,rxws/_presets.py,rxws/_sources.py,rxws/settings.py,rxws/rotation.py,rxws/splice.py,rxws/unsent.py,rxws/stats.py,rxws/market.py,rxws/gaps.py,rxws/venue.py,rxws/orderbook.py,rxws/scheduler.py,rxws/lingering.py,rxws/_sliding.py,rxws/governor.py,rxws/limits.py,rxws/alerts.py,rxws/payloads.py,rxws/operators/*,rxws/transport/*,rxws/exchanges/*

.PHONY: help demo test notebooks pictures notebook-bench frontend compare bench reliability clean
.NOTPARALLEL:

help:
	@echo 'make demo    simulated exchanges that fail on a script, the streams that survive them, and three venues merged'
	@echo 'make test    lint, types, tests, the snippets of the docs, coverage'
	@echo 'make compare the same faults for rxws, websockets, kstlib and RxJS; writes docs/comparison.md'
	@echo 'make bench   what a message costs, for rxws, picows, websockets, aiohttp, reactivex, kstlib and dccd; and a book'
	@echo 'make reliability  every fault that is promised about, with its figure; writes docs/reliability.md'
	@echo 'make notebooks   run the notebooks and save them'
	@echo 'make pictures    draw the pictures of the documents anew; FOLDER=… also shows each notebook there'
	@echo 'make notebook-bench  what a live chart costs in JupyterLab, with the figures it must reach'
	@echo 'make frontend    make the browser part of the live charts anew; needs node and npm'
	@echo 'make clean   remove the environment and what the tools left behind'

demo: .venv/.cli
	@.venv/bin/rxws demo $(ARGS)

test: .venv/.dev
	@sh .ci/browser
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy
	.venv/bin/python -m coverage run -m pytest
	.venv/bin/python -m coverage report --include='$(COVERED)' --fail-under=100

compare: .venv/.cli
	@.venv/bin/python -m benchmarks.compare

bench: .venv/.cli
	@.venv/bin/python -m benchmarks.speed $(ARGS)
	@.venv/bin/python -m benchmarks.books $(filter --write --short --record,$(ARGS))

reliability: .venv/.dev
	@.venv/bin/python -m benchmarks.reliability

notebooks: .venv/.dev
	.venv/bin/python .ci/notebooks

pictures: .venv/.dev
	@sh .ci/browser
	.venv/bin/python .ci/pictures $(FOLDER)

notebook-bench: .venv/.dev
	@sh .ci/browser
	@.venv/bin/python -m benchmarks.notebook $(ARGS)

frontend:
	cd frontend && npm ci --no-audit --no-fund && node --test && node build.mjs

clean:
	rm -rf .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist frontend/node_modules
	find rxws tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.cli: pyproject.toml .ci/environment
	@sh .ci/environment cli
	@touch $@

.venv/.dev: pyproject.toml .ci/environment
	@sh .ci/environment dev
	@touch $@
