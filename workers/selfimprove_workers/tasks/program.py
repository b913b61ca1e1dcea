"""Program: the model writes Python, and what the program prints is the answer (Program-of-Thought, as in GSI).

Programs run in the sandbox only (`sandbox`). What is printed is compared as Math compares answers, after Python's
spelling of it is made the usual one. An error is Wrong and a program that takes too long a Timeout, each with a reason.

Flexible takes the last fenced block of Python, else the last block that names no language, else the whole response if
it is a program; and of several printed lines the last. Strict asks for the format: one fenced block of Python that is
closed, and one printed line that is the answer.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from selfimprove_workers.sandbox.client import sandbox
from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.tasks.equality import canonical, compare
from selfimprove_workers.tasks.extract import final_part
from selfimprove_workers.tasks.math_task import ANY_GOLD, find_answer, read_gold
from selfimprove_workers.tasks.printed import as_written
from selfimprove_workers.threads import visible_cores

MAX_LENGTH = 20000
"""No program that answers a question is longer."""
MAX_LINE = 2000
AT_ONCE = 4
"""Programs that run side by side: what the memory of the sandbox's container is made for."""
FENCES = ("```", "~~~")
PYTHON = ("python", "python3", "py")
NOT_A_PROGRAM = ("SyntaxError", "IndentationError", "TabError")


class Source(NamedTuple):
    """A program, and how the response gives it."""

    text: str
    is_fenced: bool
    """Whether it stands alone in a closed block of Python, as strict grading asks."""
    is_marked: bool
    """Whether the response says at all that it is a program."""


class Ran(NamedTuple):
    """What is kept of a program's run."""

    line: str
    """The last line that it printed."""
    is_one_line: bool
    verdict: Verdict | None
    """Of a run that did not end well."""
    reason: str | None


class Program:
    """The checker of programs by what they print."""

    name = "Program"
    at_once = max(1, min(visible_cores(), AT_ONCE))

    def __init__(self) -> None:
        """Raises `UserError` where programs can't be held, before anything is sampled."""
        sandbox()

    def check(self, response: str, answer: str, extra: Mapping[str, Any] | None, truncated: bool = False) -> Check:
        """See `tasks.base.Task`. A program may take as long as its limits allow (`sandbox.client`)."""
        gold = read_gold(answer)
        if gold is None:
            return Check(Verdict.GOLD_UNPARSABLE, Verdict.GOLD_UNPARSABLE)
        source = find_program(response)
        if truncated or source is None:
            missing = Verdict.TRUNCATED if truncated else Verdict.NO_ANSWER
            return Check(missing, missing)
        ran = run(source.text)
        if ran.verdict is not None:
            verdict = Verdict.NO_ANSWER if _is_no_program(source, ran) else ran.verdict
            return Check(verdict, verdict, reason=ran.reason)
        printed = as_written(ran.line, gold.text)
        candidate = find_answer(printed, gold)
        if candidate is None:
            return Check(Verdict.NO_ANSWER, Verdict.NO_ANSWER, reason="printed no answer")
        verdict = compare(gold, candidate.text, bool(extra and extra.get("percent")))
        is_strict = source.is_fenced and ran.is_one_line and candidate.is_strict
        return Check(verdict, verdict if is_strict else Verdict.NO_ANSWER, canonical(candidate.text))

    def extract(self, response: str, extra: Mapping[str, Any] | None = None) -> str | None:
        """The answer that the response's program prints, in one spelling for the same answer."""
        source = find_program(response)
        ran = run(source.text) if source else None
        candidate = find_answer(as_written(ran.line), ANY_GOLD) if ran and ran.verdict is None else None
        return canonical(candidate.text) if candidate else None


def find_program(response: str) -> Source | None:
    """The program that a response gives; None where it gives none or a far too long one."""
    region = final_part(response)
    if region is None or not region.strip():
        return None
    blocks = list(_blocks(region))
    python = [block for block in blocks if block[0] in PYTHON]
    chosen = python or [block for block in blocks if not block[0]]
    if not chosen:
        return None if blocks or len(region) > MAX_LENGTH else Source(region, is_fenced=False, is_marked=False)
    language, text, is_closed = chosen[-1]
    if len(text) > MAX_LENGTH or not text.strip():
        return None
    return Source(text, is_fenced=len(blocks) == 1 and bool(language) and is_closed, is_marked=True)


@lru_cache(maxsize=16384)
def run(program: str) -> Ran:
    """Run a program, once a process: its samples are often the same."""
    outcome = sandbox().run(program)
    if outcome.reason is not None:
        return Ran("", False, Verdict.TIMEOUT if outcome.is_timeout else Verdict.WRONG, outcome.reason)
    lines = [line.strip() for line in outcome.out.splitlines() if line.strip()]
    if not lines:
        return Ran("", False, Verdict.NO_ANSWER, "printed nothing")
    return Ran(lines[-1][:MAX_LINE], len(lines) == 1, None, None)


def _is_no_program(source: Source, ran: Ran) -> bool:
    """Whether a response is prose, which nothing in it says to be a program."""
    return not source.is_marked and (ran.reason or "").startswith(NOT_A_PROGRAM)


def _blocks(text: str) -> Iterator[tuple[str, str, bool]]:
    """The fenced blocks: language, content, and whether the end mark is there."""
    language, lines, fence = "", list[str](), ""
    for line in text.splitlines():
        mark = line.strip()
        if not mark.startswith(fence or FENCES):
            lines.append(line)
        elif fence:
            yield language, textwrap.dedent("\n".join(lines)), True
            fence = ""
        else:
            fence, language, lines = mark[:3], mark[3:].strip().lower(), []
    if fence:
        yield language, textwrap.dedent("\n".join(lines)), False
