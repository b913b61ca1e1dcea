"""What `resample` counted is told by `run`, by `status --details` and, where it drew nothing, by `samples`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.guidance_counts import in_short, in_words
from selfimprove.ledger import StepId
from selfimprove.local import Event
from selfimprove.summaries import ManifestRef, Summary
from tests.unit.cli_support import BuiltRun, as_json, built_run, selfimprove

Capture = pytest.CaptureFixture[str]

NONSENSE = {"tail": 40, "mastered": 0, "noReference": 0, "tried": 0, "untaught": 80, "critique.nonsense": 80}
PROBED = {"probed": 37, "probeHeld": 1, "probedReasoned": 28, "probeReasonedHeld": 2}


def guided(folder: Path, **counts: int) -> BuiltRun:
    run = built_run(folder).baseline().generate(1).verify(1)
    settings = {"resampling": {"strategy": "Interactive"}}
    return run.step(1, "resample", settings=settings, counts=counts, tokens=1600)


def test_every_kind_of_count_is_a_line_in_words() -> None:
    counts = {**NONSENSE, **PROBED, "accepted": 3, "copy": 2, "goldGiven": 9}
    assert in_words({**counts, "teacherTokens": 1200}, 5000) == {
        "prompts": "40 in the tail, 0 mastered, 80 turns without a critique",
        "samples": "0 tried, 3 accepted, 2 copied from the reference, 9 given the gold",
        "critiques": "80 asked, 0 given, 80 nonsense",
        "leak probe": "37 asked plainly, 1 of these held, 28 asked from the reasoning, 2 of these held",
        "tokens": "5,000 in all, 1,200 the teacher's",
    }


def test_a_count_that_nobody_has_named_yet_is_shown_by_its_own_name_in_words() -> None:
    lines = in_words({"critique.offTopic": 3, "givenUpEarly": 2, "unparsed.judge": 1}, 0)
    assert lines == {"critiques": "3 asked, 0 given, 3 off topic", "other": "2 given up early, 1 unparsed judge"}


@given(st.dictionaries(st.from_regex(r"[a-z]+([A-Z][a-z]+)?", fullmatch=True), st.integers(1, 10**6)))
def test_no_count_is_hidden(counts: dict[str, int]) -> None:
    said = " ".join(in_words(counts, 0).values())
    assert all(f"{n:,} " in said for n in counts.values())


def test_the_line_about_the_step_tells_why_nothing_came_of_it() -> None:
    manifest = ManifestRef(uri="file:///run", sha256="0")
    step = StepId(1, "resample")
    summary = Summary(step="resample", iteration=1, manifest=manifest, prompts=40, tokens=1600, counts=NONSENSE)
    assert str(Event("Ended", "", step, summary)) == (
        "i001-resample: done, 0 rows of 40 prompts, 1,600 tokens, 0.0 s; 0 accepted; critiques: 80 asked, 0 given, "
        "80 nonsense"
    )


def test_it_tells_what_leaked_and_what_the_leak_probe_found() -> None:
    counts = {
        "accepted": 3,
        "copy": 2,
        "tried": 9,
        "noReference": 4,
        "noPrefix": 2,
        "unreadableGold": 1,
        "tail": 12,
        **PROBED,
    }
    assert in_short(counts) == (
        "4 without a reference, 2 without a prefix to be shown, "
        "1 with an answer that can't be read, 3 accepted, 2 copied from the reference; "
        "leak probe: 37 asked plainly, 1 of these held, 28 asked from the reasoning, 2 of these held"
    )
    assert in_short({}) == ""


def test_it_does_not_tell_of_accepted_samples_without_those_that_were_given_the_gold() -> None:
    counts = {"accepted": 7, "goldGiven": 9, "goldGivenAccepted": 7, "tried": 30}
    assert in_short(counts) == "7 accepted, 9 given the gold, 7 accepted though given the gold"


def test_status_with_details_has_them_by_iteration_and_strategy(tmp_path: Path, capfd: Capture) -> None:
    run = guided(tmp_path, **NONSENSE)
    shown = selfimprove(capfd, "status", run.folder, "--details").out
    row = next(line for line in shown.splitlines() if " critiques " in line)
    assert row.split() == ["1", "Interactive", "critiques", "80", "asked,", "0", "given,", "80", "nonsense"]
    (found,) = (each for each in as_json(capfd, "status", run.folder, "--details")["details"] if each["iteration"] == 1)
    assert found["guidance"] == {"strategy": "Interactive", "counts": NONSENSE, "tokens": 1600}
    assert "What guidance came to" not in selfimprove(capfd, "status", run.folder).out


def test_samples_of_a_step_that_drew_none_says_why(tmp_path: Path, capfd: Capture) -> None:
    run = guided(tmp_path, **NONSENSE)
    assert selfimprove(capfd, "samples", run.folder, "--step", "resample").out.splitlines() == [
        "demo, resample of iteration 1: 0 prompts, 0 samples shown",
        "prompts: 40 in the tail, 0 mastered, 80 turns without a critique",
        "samples: 0 tried",
        "critiques: 80 asked, 0 given, 80 nonsense",
        "tokens: 1,600 in all",
    ]
    found: dict[str, Any] = as_json(capfd, "samples", run.folder, "--step", "resample")
    assert (found["counts"], found["prompts"]) == (NONSENSE, [])
