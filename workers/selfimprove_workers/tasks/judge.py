"""The process in which costly checks run, so that no answer can hang or bloat the one that asks.

Started by path, it imports neither the project nor torch. It forks a child that does the work under limits of the
kernel's: CPU time, wall time, memory. A child that passes one dies, and the next is forked in milliseconds because
the libraries are loaded already. One JSON request a line on standard input, one JSON answer a line on standard output.

CPU time is what makes an answer a timeout, so that a busy machine gives the same verdicts. A hostile answer is done
with in under a second wherever the judge gets two thirds of a core; with less, in as long as that much CPU takes.
Wall time can't tell a hostile answer from one whose child was starved or stopped (nothing that is judged sleeps), so a
child that passes the wall limit with CPU time left is replaced, and the question asked once more. What an answer has no
part in, building a scorer, is done by the parent, once, under no limit.
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
from typing import Any, BinaryIO, Protocol

Request = dict[str, Any]

CPU_SECONDS = 0.6
"""Twice what the hardest honest answers were seen to need on a slow core, a hundred times what most do on any."""
WALL_SECONDS = 5.0
"""Reached only with less than a twelfth of a core."""
TRIES = 2
"""How often a question is asked whose children pass the wall limit."""
MEMORY_BYTES = 3 << 30
TIMEOUT = b'{"result": "timeout"}\n'

WARM_UP = [
    ("\\frac{x^2+1}{2}", "0.5x^{2}+\\frac12"),
    ("3\\sqrt{2}", "\\sqrt{18}"),
    ("(1,\\frac{\\pi}{2})", "(1, \\pi/2)"),
    ("x \\le 3", "(-\\infty, 3]"),
    ("\\{1,2\\}", "2, 1"),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1\\\\3\\end{pmatrix}"),
    ("(x+1)^3", "x^3+3x^2+3x+1"),
    ("\\log_{2} 8", "\\cos\\frac{\\pi}{8}"),
    ("e^{i\\pi/4}", "\\int_0^1 x^2 dx"),
    ("[1,2]", "(1, 2)"),
    ("x \\in [1,2]", "[1, 2)"),
    ("y = -\\frac{1}{2}x + 3", "y = 2x"),
    ("\\frac{1 + \\sqrt{5}}{2}, \\frac{1 - \\sqrt{5}}{2}", "\\frac{1}{2}(1 - \\sqrt{5}), \\frac{\\sqrt{5}}{2}"),
]


class Solver(Protocol):
    """Answers the questions of one kind."""

    def prepare(self, request: Request) -> bool:
        """Make ready, in the parent, what the questions like this one share; whether that was not there before."""

    def solve(self, request: Request) -> str:
        """What was found, in a word. In a child, under limits: it may raise, hang, and eat memory."""


class MathSolver:
    """Equality of two LaTeX texts by math-verify: equal, different, gold (can't be read), answer (likewise)."""

    def __init__(self) -> None:
        from math_verify import LatexExtractionConfig, parse, verify

        logging.disable(logging.CRITICAL)
        self._parse, self._verify, self._config = parse, verify, [LatexExtractionConfig()]
        for gold, answer in WARM_UP:  # a forked child starts with the tables and caches as they are now
            self.solve({"gold": gold, "answer": answer})

    def prepare(self, request: Request) -> bool:
        """Nothing: the warm-up was for all questions."""
        return False

    def solve(self, request: Request) -> str:
        """See the class."""
        gold = self._read(request["gold"])
        if not gold:
            return "gold"
        answer = self._read(request["answer"])
        if not answer:
            return "answer"
        same = self._verify(gold, answer, timeout_seconds=None, allow_set_relation_comp=True)
        return "equal" if same else "different"

    def _read(self, latex: str) -> list[Any]:
        found: list[Any] = self._parse(f"${latex}$", self._config, fallback_mode="no_fallback", parsing_timeout=None)
        return found


class GymSolver:
    """The scorer of a reasoning_gym dataset: right only when the score is 1.0, and a rounding error of it."""

    def __init__(self) -> None:
        from reasoning_gym.factory import DATASETS

        self._datasets: dict[str, Any] = DATASETS
        self._scorers: dict[str, Any] = {}

    def prepare(self, request: Request) -> bool:
        """The dataset's scorer: some take longer to build than an answer may take."""
        key = _scorer_key(request)
        if key in self._scorers:
            return False
        made, settings = self._datasets[request["name"]]
        self._scorers[key] = made(config=settings(**request["config"])).score_answer
        return True

    def solve(self, request: Request) -> str:
        """See the class."""
        score = self._scorers[_scorer_key(request)]
        entry, answer = request["entry"], request["answer"]
        # JSON has no tuples, and two scorers compare with them.
        right = any(float(score(answer, form)) > 1 - 1e-9 for form in (entry, tupled(entry)))
        return "equal" if right else "different"


def _scorer_key(request: Request) -> str:
    return json.dumps([request["name"], request["config"]], sort_keys=True)


def tupled(value: Any) -> Any:
    """A JSON value with its lists inside lists as tuples, as they were before they became JSON."""
    if isinstance(value, dict):
        return {key: tupled(inner) for key, inner in value.items()}
    return tuple(tupled(inner) for inner in value) if isinstance(value, list) else value


SOLVERS: dict[str, Callable[[], Solver]] = {"math": MathSolver, "gym": GymSolver}


class Child:
    """A forked process that answers until it passes a limit."""

    def __init__(self, solver: Solver) -> None:
        down, up = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(down[1])
            os.close(up[0])
            _work(solver, os.fdopen(down[0], "rb"), os.fdopen(up[1], "wb"))
        os.close(down[0])
        os.close(up[1])
        self._requests, self._answers = os.fdopen(down[1], "wb"), os.fdopen(up[0], "rb")

    def ask(self, line: bytes) -> bytes:
        """The answer; empty when the child died of it."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.write(line)
            self._requests.flush()
        answer = self._answers.readline()
        return answer if answer.endswith(b"\n") else b""

    def bury(self) -> int:
        """End the child, if it has not ended, and collect it: the signal that it died of."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()
        self._answers.close()
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


class Seat:
    """A solver and the child that it has at the moment."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._child = Child(solver)

    def answer(self, line: bytes) -> bytes:
        """One request's answer."""
        with contextlib.suppress(Exception):  # what can't be prepared is an error of the child's, which says so
            if self._solver.prepare(json.loads(line)):
                self._renew()
        for _ in range(TRIES):
            answer = self._child.ask(line)
            if answer or self._renew() != signal.SIGALRM:
                return answer or TIMEOUT
        return TIMEOUT

    def _renew(self) -> int:
        death = self._child.bury()
        self._child = Child(self._solver)
        return death


def _work(solver: Solver, requests: BinaryIO, answers: BinaryIO) -> None:
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for death in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(death, signal.SIG_DFL)
    for line in requests:
        _limit(CPU_SECONDS, WALL_SECONDS)
        try:
            result = solver.solve(json.loads(line))
        except BaseException as error:
            result = f"error: {type(error).__name__}"
        _limit(0, 0)
        answers.write(json.dumps({"result": result}).encode() + b"\n")
        answers.flush()
    os._exit(0)


def _limit(cpu: float, wall: float) -> None:
    """Death by the kernel's hand after so many seconds, by SIGPROF or SIGALRM."""
    signal.setitimer(signal.ITIMER_PROF, cpu)
    signal.setitimer(signal.ITIMER_REAL, wall)


def main() -> None:
    """Answer requests until the other side hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    seat = Seat(SOLVERS[sys.argv[1]]())
    answers.write(b'{"result": "ready"}\n')
    answers.flush()
    for line in requests:
        answers.write(seat.answer(line))
        answers.flush()


if __name__ == "__main__":
    main()
