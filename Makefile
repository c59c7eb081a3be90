# Every target makes the environment in .venv itself if it is missing or out of date.
# PYTHON is the interpreter the environment is made from: make book PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready
RUN := $(BIN)/python -m

.DEFAULT_GOAL := help
.PHONY: help book epub pdf test lint lab data runs verify bench race notebooks portable clean

help:  ## Say what can be made
	@echo "make book       render the book"
	@echo "make epub       add the book as one EPUB to the rendered site (make pdf: as one PDF)"
	@echo "make test       test the code, the notebooks and the rendered book"
	@echo "make lint       check the code's style and docstrings"
	@echo "make lab        open the notebooks in Jupyter Lab"
	@echo "make data       fetch and verify MNIST (SOURCE=folder takes the files from there)"
	@echo "make runs       train every recorded run that is not there yet (a day or so)"
	@echo "make verify     train a few recorded runs again and compare (NAMES='...' chooses others)"
	@echo "make bench      measure the speed of the NumPy network and of practice 4's images"
	@echo "make race       measure the way to 99% on MNIST in seconds (half an hour)"
	@echo "make notebooks  execute the notebooks again and keep their new outputs"
	@echo "make portable   run notebooks and training tests as other processors would (an hour)"
	@echo "make clean      remove what was built (not .venv, data or runs)"

$(READY): requirements.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 2; }
	@echo "Making the environment in $(VENV) (once: some minutes, about 2 GB) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $(READY)

book: $(READY)
	@echo "Rendering the book ..."
	@rm -rf _build
	@$(BIN)/jupyter-book build . --all -W -n --keep-going
	@echo "The book is at _build/html/index.html"

epub: book
	@echo "Putting the chapters and the evidence together ..."
	@$(BIN)/python book/take_along/make.py epub

pdf: book
	@echo "Printing the chapters (a minute) ..."
	@$(BIN)/python book/take_along/make.py pdf

test: $(READY)
	@echo "Testing the code, the notebooks and the rendered book (some minutes) ..."
	@$(RUN) tests
	@echo "All tests passed: the line above adds them up."

lint: $(READY)
	@echo "Checking style and docstrings ..."
	@$(RUN) ruff check .
	@echo "The code is clean: ruff found nothing."

lab: $(READY)
	@echo "Opening the notebooks in Jupyter Lab (Ctrl-C ends it; git checkout notebooks brings ours back) ..."
	@$(BIN)/jupyter-lab --FileContentsManager.preferred_dir=notebooks
	@echo "What you saved is in notebooks/"

data: $(READY)
	@echo "Fetching and verifying MNIST ..."
	@$(RUN) data_prep mnist $(if $(SOURCE),--source "$(SOURCE)")
	@$(RUN) data_prep verify
	@echo "The data are in $(or $(COURSE_DATA),data)/"

runs: $(READY)
	@echo "Training every run that is not recorded yet (a day or so; it can be stopped and resumed) ..."
	@$(RUN) helpers.runs run --all --resume
	@$(RUN) helpers.analysis.activations
	@$(RUN) book.draw_gallery
	@echo "The records are in runs/"

verify: $(READY)
	@echo "Training recorded runs again (a minute or two by default), to compare the results ..."
	@$(RUN) helpers.runs verify $(NAMES)
	@echo "No result lies outside what the records let expect."

bench: $(READY)
	@echo "Measuring speed (ten minutes; leave the machine otherwise idle) ..."
	@$(RUN) benchmarks.numpy_speed
	@$(RUN) benchmarks.augment
	@echo "The results are in benchmarks/; git checkout benchmarks brings the book's back."

race: $(READY)
	@echo "Training to 99%, from PyTorch's example to the fastest (half an hour; nothing else should run) ..."
	@$(RUN) benchmarks.race
	@echo "The results are in benchmarks/race.json; git checkout benchmarks brings the book's back."

notebooks: $(READY)
	@echo "Executing the notebooks (some minutes) ..."
	@$(BIN)/jupyter-nbconvert --to notebook --execute --inplace \
	  --ExecutePreprocessor.store_widget_state=False \
	  --ExecutePreprocessor.record_timing=False \
	  --ExecutePreprocessor.timeout=300 notebooks/*.ipynb notebooks/evidence/*.ipynb
	@echo "The new outputs are in notebooks/; make book shows them."

portable: $(READY)
	@echo "Running the notebooks and the tests that train as other processors would (an hour) ..."
	@$(RUN) tests.portable --tests $(if $(NAMES),--notebooks $(NAMES)) $(if $(SETTINGS),--settings $(SETTINGS))
	@echo "Every notebook prints what is stored, under every setting."

clean:
	@echo "Removing what was built ..."
	@rm -rf _build .pytest_cache .ruff_cache
	@find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +
	@echo "Only the sources, $(VENV), data/ and runs/ are left."
