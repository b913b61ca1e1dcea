"""What vLLM's own processes said before they died, and the one line of it that says why.

This process hears no more of it than "see stack trace above".
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
import weakref
from pathlib import Path

from selfimprove_workers.hushing import is_hushed

log = logging.getLogger(__name__)

_ERROR = re.compile(r"^(?:[A-Za-z_][\w.]*(?:Error|Exception)|Exception|Fatal Python error)(?:: .*)?$", re.MULTILINE)
_POINTS_ELSEWHERE = re.compile("stack trace|root cause|Executor failed|: cancelled$", re.IGNORECASE)
_WAS_KILLED = re.compile(r"died unexpectedly \(exit code: -9\)")
_KILLED = "it seems to have been killed, perhaps for want of memory"
_LONGEST = 300


class LastWords:
    """A file for what an engine's processes say, from their start to their end."""

    def __init__(self) -> None:
        file, name = tempfile.mkstemp(prefix="vllm-said-", suffix=".log")
        os.close(file)
        self.path = Path(name)
        self.close = weakref.finalize(self, self.path.unlink, missing_ok=True)
        """To be called when they are gone; else it goes with this process."""

    def cause(self, killed: bool = False) -> str:
        """Why they died, in a line; all that they said goes into the step's log, and nowhere else.

        `killed`: by SIGKILL, as is known of the one that this process started.
        """
        if not is_hushed():
            return _KILLED if killed else "what it said is above"
        said = self.path.read_text(errors="replace").strip()
        if said:
            log.debug("vLLM's own processes said:\n%s", said)
        return _KILLED if killed else cause_in(said)


def cause_in(said: str) -> str:
    """The last error that does not point to another one, in at most 300 characters."""
    errors = [line for line in _ERROR.findall(said) if not _POINTS_ELSEWHERE.search(line)]
    if errors:
        return str(errors[-1])[:_LONGEST]
    if said and not _WAS_KILLED.search(said):
        return "its last words are in the log"
    return _KILLED
