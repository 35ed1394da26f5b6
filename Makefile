# `make demo` sets up and runs the product; `make test` sets up and runs every test.
# Both work on a fresh Debian 12 with Python 3.11, as root or with sudo, and may be run again.
.DELETE_ON_ERROR:
.PHONY: audit-dependencies demo build-demo test test-bucket lint types pytest screenshots benchmarks clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOT_COMMAND := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(ROOT_COMMAND) env DEBIAN_FRONTEND=noninteractive apt-get
MOTO := 5.2.5
BUCKET := $(abspath $(VENV)/bucket/bin/moto_server)
VENDOR := dashboard/assets/vendor
# Workers of the test run; the browser tests share one core with the server that they drive.
TEST_WORKERS ?= 2

demo: $(VENV)/.product $(VENDOR)/.done $(VENV)/.fonts
	$(BIN)/pingan demo

build-demo: $(VENV)/.product $(VENDOR)/.done $(VENV)/.fonts
	$(BIN)/pingan demo --no-serve

test: lint types pytest

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

pytest: $(VENV)/.test $(VENDOR)/.done $(VENV)/.browser $(VENV)/.database $(BUCKET)
	MOTO_SERVER=$(BUCKET) $(BIN)/pytest -n $(TEST_WORKERS) --dist loadgroup

screenshots: $(VENV)/.test $(VENDOR)/.done $(VENV)/.browser
	$(BIN)/python -m docs.screenshots

benchmarks: $(VENV)/.test $(VENDOR)/.done $(VENV)/.browser
	$(BIN)/python benchmarks/run.py

# Debian splits venv from Python; a missing package is installed, never assumed.
$(BIN)/pip:
	$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
	  $(APT) update -q && $(APT) install -q -y python3-venv && rm -rf $(VENV) && \
	  $(PYTHON) -m venv $(VENV); }

$(VENV)/.product: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/.product

# A font with Chinese for the images and documents that the server draws.
$(VENV)/.fonts: | $(BIN)/pip
	fc-list :lang=zh-cn 2>/dev/null | grep -q . || { $(APT) update -q && \
	  $(APT) install -q -y --no-install-recommends fontconfig fonts-wqy-microhei; }
	touch $@

# Chromium, a font with Chinese, and the one library that the browser driver's own Node asks for.
$(VENV)/.browser: | $(BIN)/pip
	command -v chromium >/dev/null && fc-list :lang=zh-cn 2>/dev/null | grep -q . && \
	  /sbin/ldconfig -p | grep -q libatomic.so.1 || { $(APT) update -q && \
	  $(APT) install -q -y chromium fontconfig fonts-wqy-microhei libatomic1; }
	touch $@

# The tests against a server that speaks S3; without it they are skipped and say why.
test-bucket: $(VENV)/.test $(BUCKET)
	MOTO_SERVER=$(BUCKET) $(BIN)/pytest tests/etl/keeping

# A server that speaks S3, in an environment of its own: it wants other versions than the product.
$(BUCKET): | $(BIN)/pip
	$(BIN)/python -m venv $(VENV)/bucket
	$(VENV)/bucket/bin/pip install -q --disable-pip-version-check 'moto[s3]==$(MOTO)' flask flask-cors

# A real PostgreSQL server, which the tests start themselves.
$(VENV)/.database: | $(BIN)/pip
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { $(APT) update -q && \
	  $(APT) install -q -y --no-install-recommends postgresql; }
	touch $@

$(VENDOR)/.done: package.json dashboard/vendor.py dashboard/compressed.py | $(VENV)/.product
	command -v npm >/dev/null || { $(APT) update -q && $(APT) install -q -y --no-install-recommends nodejs npm; }
	npm install --silent --no-package-lock --no-audit --no-fund --ignore-scripts
	$(BIN)/python -m dashboard.vendor
	$(BIN)/python -m dashboard.compressed
	touch $@

# What is known of holes in the pinned packages; asks a public service, so it is no part of `test`.
audit-dependencies: | $(BIN)/pip
	$(BIN)/python -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install -q --disable-pip-version-check pip-audit==2.10.1
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip -r constraints.txt

clean:
	rm -rf $(VENV) node_modules $(VENDOR) build dist test-results .pytest_cache .mypy_cache .ruff_cache
