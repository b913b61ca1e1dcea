"""The process in which costly checks run, so that no answer can hang or bloat the one that asks.

Started by path, it imports neither the project nor torch. It forks a child that does the work under limits of the
kernel's: CPU time, wall time, memory. A child that passes one dies, and the next is forked in milliseconds because
the libraries are loaded already. One JSON request a line on standard input, one JSON answer a line on standard output.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

Solve = Callable[[dict[str, Any]], str]

CPU_SECONDS = 0.6
WALL_SECONDS = 4.0
"""CPU time is the limit, so that a busy machine gives the same verdicts; wall time catches what only sleeps."""
MEMORY_BYTES = 3 << 30


WARM_UP = [
    ("\\frac{x^2+1}{2}", "0.5x^{2}+\\frac12"),
    ("3\\sqrt{2}", "\\sqrt{18}"),
    ("(1,\\frac{\\pi}{2})", "(1, \\pi/2)"),
    ("x \\le 3", "(-\\infty, 3]"),
    ("\\{1,2\\}", "2, 1"),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1\\\\3\\end{pmatrix}"),
]


def math_solver() -> Solve:
    """Equality of two LaTeX texts by math-verify: equal, different, gold (can't be read), answer (likewise)."""
    from math_verify import LatexExtractionConfig, parse, verify

    logging.disable(logging.CRITICAL)

    def read(latex: str) -> list[Any]:
        found: list[Any] = parse(
            f"${latex}$", [LatexExtractionConfig()], fallback_mode="no_fallback", parsing_timeout=None
        )
        return found

    def solve(request: dict[str, Any]) -> str:
        gold = read(request["gold"])
        if not gold:
            return "gold"
        answer = read(request["answer"])
        if not answer:
            return "answer"
        same = verify(gold, answer, timeout_seconds=None, allow_set_relation_comp=True)
        return "equal" if same else "different"

    for gold, answer in WARM_UP:  # a forked child starts with the parser's tables as they are now
        solve({"gold": gold, "answer": answer})
    return solve


def gym_solver() -> Solve:
    """The scorer of a reasoning_gym dataset: right only when the score is 1.0, and a rounding error of it."""
    from reasoning_gym.factory import DATASETS

    scorers: dict[str, Any] = {}

    def scorer(name: str, config: dict[str, Any]) -> Any:
        key = json.dumps([name, config], sort_keys=True)
        if key not in scorers:
            made, settings = DATASETS[name]
            scorers[key] = made(config=settings(**config)).score_answer
        return scorers[key]

    def solve(request: dict[str, Any]) -> str:
        score = scorer(request["name"], request["config"])
        entry, answer = request["entry"], request["answer"]
        # JSON has no tuples, and two scorers compare with them.
        right = any(float(score(answer, form)) > 1 - 1e-9 for form in (entry, tupled(entry)))
        return "equal" if right else "different"

    return solve


def tupled(value: Any) -> Any:
    """A JSON value with its lists inside lists as tuples, as they were before they became JSON."""
    if isinstance(value, dict):
        return {key: tupled(inner) for key, inner in value.items()}
    return tuple(tupled(inner) for inner in value) if isinstance(value, list) else value


SOLVERS: dict[str, Callable[[], Solve]] = {"math": math_solver, "gym": gym_solver}


class Child:
    """A forked process that answers until it passes a limit."""

    def __init__(self, solve: Solve) -> None:
        down, up = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(down[1])
            os.close(up[0])
            _work(solve, os.fdopen(down[0], "rb"), os.fdopen(up[1], "wb"))
        os.close(down[0])
        os.close(up[1])
        self._requests, self._answers = os.fdopen(down[1], "wb"), os.fdopen(up[0], "rb")

    def ask(self, line: bytes) -> bytes:
        """The answer; empty when the child died of it."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.write(line)
            self._requests.flush()
        return self._answers.readline()

    def bury(self) -> None:
        """Collect the dead child."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()
        self._answers.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _work(solve: Solve, requests: BinaryIO, answers: BinaryIO) -> None:
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in requests:
        _limit(CPU_SECONDS, WALL_SECONDS)
        try:
            result = solve(json.loads(line))
        except BaseException as error:
            result = f"error: {type(error).__name__}"
        _limit(0, 0)
        answers.write(json.dumps({"result": result}).encode() + b"\n")
        answers.flush()
    os._exit(0)


def _limit(cpu: float, wall: float) -> None:
    """Death by the kernel's hand after so many seconds: the default of both signals."""
    signal.setitimer(signal.ITIMER_PROF, cpu)
    signal.setitimer(signal.ITIMER_REAL, wall)


def main() -> None:
    """Answer requests until the other side hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    solve = SOLVERS[sys.argv[1]]()
    child = Child(solve)
    answers.write(b'{"result": "ready"}\n')
    answers.flush()
    for line in requests:
        answer = child.ask(line)
        if not answer.endswith(b"\n"):
            child.bury()
            child, answer = Child(solve), b'{"result": "timeout"}\n'
        answers.write(answer)
        answers.flush()


if __name__ == "__main__":
    main()
