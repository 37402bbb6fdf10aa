# Two commands are enough: `make lab` opens the first page, `make test` runs every test. Both set everything up.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PAGES  := $(sort $(wildcard notebooks/*.ipynb notebooks/papers/*.ipynb))
# JupyterLab refuses to run as root unless told, and looks for a browser only where there is a screen
ROOT    := $(if $(filter 0,$(shell id -u)),--allow-root)
BROWSER := $(if $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname)),,--no-browser)

.PHONY: lab tour test lint measure catalogue exponents collection map gallery clean
lab: $(VENV)/ready
	$(BIN)/python -m jupyterlab $(ROOT) $(BROWSER) --LabApp.default_url=/lab/tree/notebooks/00-start-here.ipynb

tour: $(VENV)/ready
	mkdir -p tour
	PLOTLY_RENDERER=notebook $(BIN)/python -m nbconvert --to html --execute --output-dir tour $(PAGES)
	@echo "open tour/00-start-here.html"

test: $(VENV)/ready lint
	$(BIN)/python -m pytest -n 2 --dist loadscope
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=300 -p no:cacheprovider $(PAGES)

lint: $(VENV)/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check

measure: $(VENV)/ready
	$(BIN)/python -m chaoslab.invariants.measure

catalogue: $(VENV)/ready
	$(BIN)/python -m chaoslab.systems.listing > docs/catalogue.md

exponents: $(VENV)/ready
	$(BIN)/python benchmarks/verification.py

collection: $(VENV)/ready
	$(BIN)/python -m chaoslab.datasets.ship

map: $(VENV)/ready
	$(BIN)/python -m chaoslab.datasets.catalogue_map

gallery: $(VENV)/ready
	$(BIN)/python -c "import chaoslab as cl; cl.figures.gallery().savefig('docs/gallery.jpg', dpi=100, pil_kwargs={'quality': 85})"
	$(BIN)/python -m chaoslab.widgets.thumbnails

clean:
	rm -rf $(VENV) tour

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chaoslab needs Python 3.11 or newer; set it by: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@
