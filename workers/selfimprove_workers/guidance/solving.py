"""Whether the beginning of a solution is a right answer already, as its task reads it: `half of it, 8 / 2` is 4.

The gold need not be written there: graders take a fraction, a power or a root for the number that it is. What goes on
from such a beginning can be anything, and is right. So it is where nothing is missing but what closes a bracket or a
formula: `they meet at $(3, 4`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from selfimprove_workers.guidance.base import Reference
from selfimprove_workers.tasks.base import Task, Verdict
from selfimprove_workers.tasks.text import BRACKETS

Solves = Callable[[str, Reference], bool]
"""Whether a text is right by itself, with a word after it that says nothing, or with all closed that it has opened."""

_SAYS_NOTHING = ("", " the")
_MARK = re.compile(r"\\[()\[\]{}]|\\.|\$\$?|[()\[\]{}]", re.DOTALL)
_CLOSING = {
    **BRACKETS,
    **{f"\\{opening}": f"\\{closing}" for opening, closing in BRACKETS.items()},
    "$": "$",
    "$$": "$$",
}


def solves_for(task: Task | None) -> Solves:
    """By the task's own check; never without one, nor of programs, which are not run for that."""
    if task is None or task.name == "Program":
        return lambda text, reference: False

    def solves(text: str, reference: Reference) -> bool:
        if reference.answer is None or not text.strip():
            return False
        ends = dict.fromkeys((*_SAYS_NOTHING, _closing_of(text)))
        found = (task.check(text + more, reference.answer, reference.extra).flexible for more in ends)
        return any(verdict is Verdict.CORRECT for verdict in found)

    return solves


def _closing_of(text: str) -> str:
    """What closes all brackets and formulas that a text leaves open, the last first."""
    missing: list[str] = []
    for mark in _MARK.findall(text):
        if mark in missing:
            del missing[len(missing) - 1 - missing[::-1].index(mark) :]
        elif mark in _CLOSING:
            missing.append(_CLOSING[mark])
    return "".join(reversed(missing))
