"""docs/events.md names every event that the operator sends."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from selfimprove.stopping import RULES
from selfimprove_operator import acceptance, events

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"


def test_every_event_has_its_row() -> None:
    rows = [line.split("|")[1] for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    told = set(re.findall(r"`(\w+)`", " ".join(rows)))
    sent = set(re.findall(r'Event\("\w+", "(\w+)"', inspect.getsource(events)))
    refusals = set(re.findall(r'"(Invalid|Refused|Incomplete)"', inspect.getsource(acceptance)))
    others = {"Accepted", "Suspended", "Resumed", "TailNarrowing", "VerifierDrift", "NothingToLearn", "Failed"}
    assert told == {*sent, *refusals, *RULES, *others}
