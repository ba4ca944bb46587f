# These do all the set-up on a fresh machine: `make demo` runs the chain, `make console` the chain with
# the operator's page, `make test` the tests.

.PHONY: console demo test lint bench clean

demo: .venv/.demo
	.venv/bin/turret-ai demo $(ARGS)

console: .venv/.console
	.venv/bin/turret-ai launch finals source:=console $(ARGS)

test: .venv/.test
	.venv/bin/python -m pytest $(ARGS)

lint: .venv/.test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	@# The oldest Python that is promised. There numpy's types know less of what functions return.
	.venv/bin/mypy --python-version 3.10 --no-warn-return-any --cache-dir .mypy_cache/3.10-checks

bench: .venv/.test
	.venv/bin/python -m bench $(ARGS)

clean:
	rm -rf .venv build dist src/*.egg-info

.venv/.demo: pyproject.toml setup.py scripts/setup $(wildcard requirements/*.txt)
	scripts/setup $@

.venv/.console: pyproject.toml setup.py scripts/setup $(wildcard requirements/*.txt)
	scripts/setup $@ console

.venv/.test: pyproject.toml setup.py scripts/setup $(wildcard requirements/*.txt)
	scripts/setup $@ test lint train llm server console
