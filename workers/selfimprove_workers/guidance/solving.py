"""Whether the beginning of a solution is a right answer already, as its task reads it: `half of it, 8 / 2` is 4.

The gold need not be written there: graders take a fraction, a power or a root for the number that it is. What goes on
from such a beginning can be anything, and is right.
"""

from __future__ import annotations

from collections.abc import Callable

from selfimprove_workers.guidance.base import Reference
from selfimprove_workers.tasks.base import Task, Verdict

Solves = Callable[[str, Reference], bool]
"""Whether a text is right by itself, or with a word after it that says nothing."""

_SAYS_NOTHING = ("", " the")


def solves_for(task: Task | None) -> Solves:
    """By the task's own check; never without one, nor of programs, which are not run for that."""
    if task is None or task.name == "Program":
        return lambda text, reference: False

    def solves(text: str, reference: Reference) -> bool:
        if reference.answer is None or not text.strip():
            return False
        found = (task.check(text + more, reference.answer, reference.extra).flexible for more in _SAYS_NOTHING)
        return any(verdict is Verdict.CORRECT for verdict in found)

    return solves
