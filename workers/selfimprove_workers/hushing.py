"""vLLM kept from talking over a run's own lines: of it a terminal shows errors alone, and of its processes nothing.

Its warnings are still in the step's log, as far as they come from this process. What its own processes say goes into a
file, which is read when they die (`engines.last_words`): a page of stack traces, of which a person needs one line.
Whoever sets VLLM_LOGGING_LEVEL, or another of its settings of what is logged, hears what was asked for.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from logging.config import dictConfig
from pathlib import Path

_CONFIG = "VLLM_LOGGING_CONFIG_PATH"
_CHOSEN = ("VLLM_LOGGING_LEVEL", "VLLM_CONFIGURE_LOGGING")
_HUSHED = Path(__file__).with_name("vllm_logging.json")
_OF_CHILDREN = {"PYTHONWARNINGS": "ignore", "TORCH_CPP_LOG_LEVEL": "ERROR"}
_SAID = "SELFIMPROVE_VLLM_SAID"
"""Tells the processes that vLLM starts which file takes what they say, after the number of the process that asks."""


def hush() -> None:
    """To be called before vLLM is imported, which warns already then."""
    if not any(name in os.environ for name in (*_CHOSEN, _CONFIG)):
        os.environ[_CONFIG] = str(_HUSHED)
    stay_hushed()


def stay_hushed() -> None:
    """The same in a process that vLLM starts, where it is known by the environment."""
    if is_hushed():
        dictConfig(json.loads(_HUSHED.read_text()))


def speaker() -> logging.Handler:
    """What writes vLLM's records in this process; `vllm_logging.json` names it."""
    _speak_into_file()
    return logging.StreamHandler()


def is_hushed() -> bool:
    """Whether nobody asked for more than errors, after `hush`."""
    return os.environ.get(_CONFIG) == str(_HUSHED)


@contextmanager
def hushed_children(said: Path) -> Iterator[None]:
    """Within, processes that are started write what they say into the file `said`, if nobody asked to hear it, and say
    nothing of what only the libraries' authors can mend.
    """
    wanted = {**_OF_CHILDREN, _SAID: f"{os.getpid()}:{said}"} if is_hushed() else {}
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _speak_into_file() -> None:
    """Standard error itself, since C++ and a dying interpreter write there too, which no logger hears of."""
    asks, _, path = os.environ.get(_SAID, "").partition(":")
    if path and asks != str(os.getpid()):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(file, 2)
        os.close(file)


os.register_at_fork(after_in_child=_speak_into_file)  # such a process imports nothing again
