# make run: the app, in its own virtual environment.  make test: every check.
PYTHON ?= python3
VENV := .venv
# Windows, under Git's bash, calls the folder otherwise.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

# Debian ships Python without venv; other builds of Python have it.
VENV_PACKAGE := $(shell $(PYTHON) -c "import ensurepip" 2>/dev/null || echo python3-venv)
# What Qt, OpenCV and MediaPipe load from the system on Debian and Ubuntu.
APP_PACKAGES := $(VENV_PACKAGE) $(shell awk '!/^\#/ {print $$2}' fer_live/base/system_packages.txt)
# The tests open real windows on a virtual screen, watch the app's system calls, and serve streams.
# One of them loads the WebSocket page in a browser.
TEST_PACKAGES := $(APP_PACKAGES) xvfb strace ffmpeg chromium curl desktop-file-utils appstream

.PHONY: run test docs docs-links fuzz soak chaos coverage mutants audit figures tables animation translations dist release \
  resolves try-package desktop clean system-app system-test system-dist

run: $(VENV)/.app
	@$(BIN)/fer-live quickstart

# Three processes at two cores, because each waits a quarter of its time: for windows, kills, sockets.
test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 3 --dist worksteal

# The documentation site, in build/site: any warning is an error.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "build/site/index.html"

# Asks every address of other sites that a page links to; needs a network.
docs-links: $(VENV)/.docs
	@$(BIN)/python -m tests.external_links

# Asks the package index for known weaknesses of what is installed; needs a network.
audit: $(VENV)/.test
	@$(BIN)/python -m release.audit

# Spoilt inputs, a million frames through the window, and kills and faults by the hundred: each goes
# on where it was stopped, for as long as MINUTES says.
FOR_SO_LONG = $(if $(MINUTES),--minutes $(MINUTES))
fuzz: $(VENV)/.test
	@$(BIN)/python -m tests.trust.fuzz $(FOR_SO_LONG)
soak: $(VENV)/.test
	@$(BIN)/python -m tests.trust.soak $(FOR_SO_LONG)
chaos: $(VENV)/.test
	@$(BIN)/python -m tests.trust.chaos $(FOR_SO_LONG)

# Which lines of the app, without its window, the tests run; those of the processes that they start too.
coverage: $(VENV)/.test
	@$(BIN)/python -c "import pytest_cov" 2>/dev/null || $(BIN)/python -m pip install --quiet pytest-cov
	@$(BIN)/python -m pytest -q -n logical --maxprocesses 2 --dist worksteal --cov --cov-report term:skip-covered tests

# Faults put into the code one at a time: how many of a sample the tests find. An hour or more.
mutants: $(VENV)/.test
	@$(BIN)/python -c "import mutmut" 2>/dev/null || $(BIN)/python -m pip install --quiet mutmut
	@$(BIN)/python -m tests.trust.mutants

# Measures the speed figures of docs/figures.md anew.
figures: $(VENV)/.test
	@$(BIN)/python -m benchmarks.figures

# Writes the tables of the documentation that are made from the code.
tables: $(VENV)/.test
	@$(BIN)/python -m fer_live.outputs docs/data_out.md
	@$(BIN)/python -m fer_live.window en docs/window.md
	@$(BIN)/python -m fer_live.window ko docs/ko/window.md

# Films the window on the demo for the README and takes its small pictures, on a virtual screen.
animation: $(VENV)/.test
	@$(BIN)/python -m tools.readme_animation
	@$(BIN)/python -m tools.readme_pictures

# Collects the app's texts, keeps what is translated, and compiles it.
LOCALE := fer_live/base/locale
translations: $(VENV)/.test
	@mkdir -p build
	$(BIN)/pybabel -q extract -k tr -k tr_n:1,2 -k mark -F $(LOCALE)/babel.cfg --no-location --sort-output \
	  --project "FER Live" -o build/fer_live.pot fer_live
	$(BIN)/pybabel -q update -D fer_live -d $(LOCALE) -i build/fer_live.pot --no-fuzzy-matching \
	  --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q compile -D fer_live -d $(LOCALE)

$(VENV)/.app: pyproject.toml | system-app
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | system-test
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ $(VENV)/.app

$(VENV)/.docs: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

# Into dist/: wheel and source, the self-contained folder, its archive, and the Debian package. Their
# tools live in environments of their own below build/. Linux; elsewhere: the first two commands.
dist: | system-dist
	$(PYTHON) -m release.wheel
	$(PYTHON) -m release.folder
	$(PYTHON) -m release.debian

# The same, the wheel tried without this folder, a list of parts (SBOM), and checksums.
release: dist
	$(PYTHON) -m release.wheel_alone
	$(PYTHON) -m release.parts
	$(PYTHON) -m release.checksums

# Whether the dependencies can be had on every system and Python that docs/platforms.md names.
resolves:
	@$(PYTHON) -m release.resolves

# Installs, runs and removes the Debian package in a bare Debian without Python; as root.
try-package:
	@$(PYTHON) -m release.bare_root

system-app: ; @sh ./.ci/system-packages $(APP_PACKAGES)
system-test: ; @sh ./.ci/system-packages $(TEST_PACKAGES)
system-dist: ; @sh ./.ci/system-packages $(DIST_PACKAGES)

# Adds the app, as `make run` starts it, to the menu of a Linux desktop.
DATA_HOME := $(or $(XDG_DATA_HOME),$(HOME)/.local/share)
desktop: $(VENV)/.app
	install -Dm644 assets/icon.svg $(DATA_HOME)/icons/hicolor/scalable/apps/fer-live.svg
	install -d $(DATA_HOME)/applications
	sed 's|^Exec=.*|Exec="$(CURDIR)/$(BIN)/fer-live"|' assets/fer-live.desktop > $(DATA_HOME)/applications/fer-live.desktop

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
