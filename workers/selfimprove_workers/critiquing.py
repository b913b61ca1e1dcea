"""Scores that come from critiques, prompt by prompt as they are drawn.

Critiques are long, so a step can't wait for hundreds of samples' before it commits any: the engine gets all of them at
once and is never idle between parts; parts are cut from the ordered prefix of prompts that are complete, and what is
drawn beyond it is put aside.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

from selfimprove_workers.aside import Aside
from selfimprove_workers.context import StepContext
from selfimprove_workers.engines.base import Completion, SampleRequest
from selfimprove_workers.examining import Examiner, Judge, Rows, Scored
from selfimprove_workers.sampling import SECONDS_A_PART
from selfimprove_workers.verifiers.base import Candidate, Critic, Tools


@dataclass
class _Asked:
    """What is drawn of one prompt: for each of its samples and judges, `places` among all requests."""

    candidates: list[Candidate]
    places: list[tuple[Judge, Candidate, range]]
    open: int
    """Critiques that are still to come."""


def critiqued(
    context: StepContext, examiner: Examiner, judges: Sequence[Judge], batch: Sequence[Candidate], aside: Aside
) -> Iterator[Scored]:
    """The rows of whole prompts in order, every so many seconds. All judges are critics, and ask the same model.

    Ends with what is complete, and with `TerminatedError`, when a signal came.
    """
    tools = examiner.tools(judges[0].source)
    asked, requests = _ask(tools, judges, batch)
    owner = [prompt for prompt in asked for _, _, places in prompt.places for _ in places]
    drawn: dict[int, Completion] = {}
    first, complete, since = 0, 0, time.monotonic()
    with closing(aside.sample(tools.engine, requests)) as completions:
        for at, completion in completions:
            drawn[at] = completion
            owner[at].open -= 1
            context.progress.advance(tokens=len(completion.tokens))
            while complete < len(asked) and not asked[complete].open:
                complete += 1
            if complete > first and time.monotonic() - since > SECONDS_A_PART:
                aside.done(_requests(asked[:complete]))
                yield _scored(examiner, tools, asked[first:complete], drawn)
                first, since = complete, time.monotonic()
    aside.done(_requests(asked[:complete]))
    aside.keep()
    if complete > first:
        yield _scored(examiner, tools, asked[first:complete], drawn)
    context.stop_if_asked()


def _ask(tools: Tools, judges: Sequence[Judge], batch: Sequence[Candidate]) -> tuple[list[_Asked], list[SampleRequest]]:
    asked: list[_Asked] = []
    requests: list[SampleRequest] = []
    for _, group in groupby(batch, key=lambda candidate: candidate.prompt):
        candidates = list(group)
        places = []
        for judge in judges:
            for candidate in candidates:
                more = _critic(judge).requests(tools, candidate)
                places.append((judge, candidate, range(len(requests), len(requests) + len(more))))
                requests += more
        asked.append(_Asked(candidates, places, sum(len(each) for _, _, each in places)))
    return asked, requests


def _requests(prompts: Sequence[_Asked]) -> int:
    """How many critiques these prompts take."""
    return sum(len(places) for prompt in prompts for _, _, places in prompt.places)


def _scored(examiner: Examiner, tools: Tools, prompts: Sequence[_Asked], drawn: dict[int, Completion]) -> Scored:
    rows: Rows = []
    for prompt in prompts:
        for judge, candidate, places in prompt.places:
            score = _critic(judge).read(tools, [drawn.pop(at) for at in places])
            rows.append(examiner.row(judge, candidate, score))
    return Scored(rows, len(prompts))


def _critic(judge: Judge) -> Critic:
    assert isinstance(judge.verifier, Critic)  # what `draws` says
    return judge.verifier
