"""vLLM kept from talking over a run's own lines: of it and of its processes a terminal shows errors alone.

Its warnings are still in the step's log, as far as they come from this process. Whoever sets VLLM_LOGGING_LEVEL, or
another of its settings of what is logged, hears what was asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from logging.config import dictConfig
from pathlib import Path

_CONFIG = "VLLM_LOGGING_CONFIG_PATH"
_CHOSEN = ("VLLM_LOGGING_LEVEL", "VLLM_CONFIGURE_LOGGING")
_HUSHED = Path(__file__).with_name("vllm_logging.json")
_OF_CHILDREN = {"PYTHONWARNINGS": "ignore", "TORCH_CPP_LOG_LEVEL": "ERROR"}


def hush() -> None:
    """To be called before vLLM is imported, which warns already then."""
    if not any(name in os.environ for name in (*_CHOSEN, _CONFIG)):
        os.environ[_CONFIG] = str(_HUSHED)
    stay_hushed()


def stay_hushed() -> None:
    """The same in a process that vLLM starts, where it is known by the environment."""
    if _hushed():
        dictConfig(json.loads(_HUSHED.read_text()))


@contextmanager
def hushed_children() -> Iterator[None]:
    """Within, processes that are started say nothing of what only the libraries' authors can mend."""
    added = {name: value for name, value in _OF_CHILDREN.items() if _hushed() and name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _hushed() -> bool:
    """Whether nobody has asked for more than errors."""
    return os.environ.get(_CONFIG) == str(_HUSHED)
