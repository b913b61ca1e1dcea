"""The judge's limits: what an answer may cost is CPU time, so that a busy machine gives the same verdicts."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from selfimprove_workers.tasks import judge
from selfimprove_workers.tasks.judging import Bench

HOSTILE = ["9^{9^{9^9}}", "9^{9^9}", "9!!!!!!!", r"\sum_{n=1}^{10^{12}} \frac{1}{n^2}"]
HONEST = [
    ("x^2+2x+1", "(x+1)^2"),
    (r"2\sqrt{3}", r"\sqrt{12}"),
    (r"\frac{n(n+1)(2n+1)}{6}", r"\frac{2n^3+3n^2+n}{6}"),
    ("x^{10}-1", "(x^5-1)(x^5+1)"),
]
GYM_ENTRY = {"question": "?", "answer": "5", "metadata": {}}


@pytest.fixture(scope="module")
def judges() -> Iterator[Bench]:
    """Judges of mathematics whose libraries are loaded."""
    made = Bench("math")
    assert made.ask({"gold": "2", "answer": "1+1"}) == "equal"
    yield made
    made.close()


class Fake:
    """A solver that does to its first children what a test asks for."""

    def __init__(self, notes: Path, act: str = "answer", times: int = 99, preparing: float = 0.0) -> None:
        self.notes, self.act, self.times, self.preparing = notes, act, times, preparing
        self.prepared = False

    def prepare(self, request: dict[str, Any]) -> bool:
        if self.prepared:
            return False
        spin(self.preparing)
        self.prepared = True
        return True

    def solve(self, request: dict[str, Any]) -> str:
        with self.notes.open("a") as notes:
            notes.write("asked\n")
        if asked(self.notes) <= self.times:
            if self.act == "sleep":
                time.sleep(60)
            if self.act == "spin":
                spin(60)
        return "equal" if self.prepared else "unprepared"


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def asked(notes: Path) -> int:
    return notes.read_text().count("asked")


def answered(solver: judge.Solver) -> str:
    seat = judge.Seat(solver)
    try:
        return str(json.loads(seat.answer(b'{"question": 1}\n'))["result"])
    finally:
        seat._child.bury()


def test_a_question_whose_child_is_starved_is_asked_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "WALL_SECONDS", 0.2)
    assert answered(Fake(tmp_path / "notes", "sleep", times=1)) == "equal"
    assert asked(tmp_path / "notes") == 2


def test_a_question_that_is_starved_again_is_a_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "WALL_SECONDS", 0.2)
    assert answered(Fake(tmp_path / "notes", "sleep")) == "timeout"
    assert asked(tmp_path / "notes") == 2


def test_a_question_that_uses_up_its_cpu_time_is_a_timeout_at_once(tmp_path: Path) -> None:
    assert answered(Fake(tmp_path / "notes", "spin")) == "timeout"
    assert asked(tmp_path / "notes") == 1


def test_what_is_made_ready_for_an_answer_does_not_count_as_its_time(tmp_path: Path) -> None:
    assert answered(Fake(tmp_path / "notes", preparing=2 * judge.CPU_SECONDS)) == "equal"


def test_a_scorer_that_takes_long_to_build_is_no_timeout() -> None:
    judges = Bench("gym")
    entry = {"question": "?", "answer": "foo", "metadata": {}}
    request = {"name": "arc_agi", "config": {}, "entry": entry, "answer": "foo"}
    assert judges.ask(request) != "timeout"
    judges.close()


def test_a_scorer_that_there_is_not_is_an_error_and_no_end() -> None:
    judges = Bench("gym")
    assert judges.ask({"name": "nothing", "config": {}, "entry": GYM_ENTRY, "answer": "5"}).startswith("error")
    assert judges.ask({"name": "gsm_symbolic", "config": {}, "entry": GYM_ENTRY, "answer": "5"}) == "equal"
    judges.close()


@pytest.mark.parametrize("answer", HOSTILE)
def test_a_hostile_answer_costs_its_cpu_time_and_hardly_more(judges: Bench, answer: str) -> None:
    judges.ask({"gold": "1", "answer": answer})  # so that the next child has answered nothing else
    before = children_cpu(judges)
    assert judges.ask({"gold": "1", "answer": answer}) == "timeout"
    assert children_cpu(judges) - before < 1.5 * judge.CPU_SECONDS


def test_a_hostile_answer_takes_less_than_a_second_with_the_fork_of_the_next_child(judges: Bench) -> None:
    # A machine that gives the judge too little for a while is not what is measured: the best of some counts.
    best = 60.0
    for number in range(20):
        began = time.monotonic()
        assert judges.ask({"gold": str(number), "answer": "9^{9^{9^9}}"}) == "timeout"
        assert judges.ask({"gold": "2", "answer": "1+1"}) == "equal"
        best = min(best, time.monotonic() - began)
        if best < 1.0:
            break
    assert best < 1.0


def test_a_busy_machine_gives_the_same_verdicts(judges: Bench) -> None:
    with busy(3 * (os.cpu_count() or 1)):
        assert [judges.ask({"gold": gold, "answer": answer}) for gold, answer in HONEST] == ["equal"] * len(HONEST)
        assert judges.ask({"gold": "1", "answer": HOSTILE[0]}) == "timeout"
        assert judges.ask({"gold": "2", "answer": "1+1"}) == "equal"


def children_cpu(judges: Bench) -> float:
    """Seconds of CPU that the judge's dead children used."""
    times = psutil.Process(judges._idle[0]._process.pid).cpu_times()
    return float(times.children_user + times.children_system)


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that do nothing but use a core."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
