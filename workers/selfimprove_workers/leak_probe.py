"""`resampling.leakProbe`: what guided samples are worth once the hint is gone.

Every prompt that guidance has brought an accepted sample for is asked again, twice, and never trained on: plainly, and
from the accepted sample's own reasoning, cut before its answer first shows, under the plain prompt. A solution that
leads to its answer leads there again; one that was written backwards from a hint does not. What was begun by a given
prefix is asked plainly only, since its reasoning is part hint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from selfimprove.api.probing import most_draws
from selfimprove_workers.book import Book
from selfimprove_workers.context import StepContext
from selfimprove_workers.engines.base import Completion, SampleRequest
from selfimprove_workers.guidance.golds import gold_position
from selfimprove_workers.sampling import Plan
from selfimprove_workers.tail import TailPrompt
from selfimprove_workers.tutoring import Tutor

PLAIN, REASONED = "LeakProbe", "LeakProbeReasoned"
"""The strategy of the two kinds of samples, in the table `probe`."""

AT_ONCE = 256
"""Prompts that are probed and committed together."""


class LeakProbe:
    """Asks in the order of the tail, and goes on where an earlier attempt stopped."""

    def __init__(self, context: StepContext, book: Book, tutor: Tutor) -> None:
        self._context, self._book, self._tutor = context, book, tutor
        self._plan = Plan.of_generation(context.spec)

    def run(self, tail: Sequence[TailPrompt]) -> int:
        """Probe what guidance won, as far as the tokens last; how many prompts they did not last for.

        Raises `TerminatedError` when a signal came.
        """
        won = self._book.first_accepted()
        prompts = [prompt for prompt in tail if prompt.prompt.id in won]
        done = self._book.probes.prompts_done
        if done < len(prompts):
            self._context.progress.start(f"{self._context.step.name} leak probe", len(prompts), done)
        while done < len(prompts):
            now = self._affordable(prompts[done : done + AT_ONCE], won)
            if not now:
                break
            self._probe(now, won)
            done += len(now)
            self._context.progress.advance(len(now))
            self._context.stop_if_asked()
        return len(prompts) - done

    def _affordable(self, prompts: Sequence[TailPrompt], won: Mapping[str, Mapping[str, Any]]) -> Sequence[TailPrompt]:
        """The prompts, from the first, that what is left pays for even when all that is drawn is of full length."""
        costs = (self._plan.max_tokens * most_draws(bool(won[each.prompt.id]["prefix_length"])) for each in prompts)
        return prompts[: sum(spent <= self._book.left for spent in accumulate(costs))]

    def _probe(self, prompts: Sequence[TailPrompt], won: Mapping[str, Mapping[str, Any]]) -> None:
        asked = [(prompt, *each) for prompt in prompts for each in self._beginnings(prompt, won[prompt.prompt.id])]
        drawn = self._tutor.draw([self._request(*each) for each in asked])
        rows = [self._row(*each, done) for each, done in zip(asked, drawn, strict=True)]
        passed, judging = self._tutor.judge(rows, [prompt for prompt, _, _ in asked])
        counts = dict.fromkeys(("probed", "probeHeld", "probedReasoned", "probeReasonedHeld"), 0)
        for row, holds in zip(rows, passed, strict=True):
            kind = "probed" if row["strategy"] == PLAIN else "probedReasoned"
            counts[kind] += 1
            counts[kind.replace("probed", "probe") + "Held"] += holds
        counts["tokens"] = sum(len(each.tokens) for each in drawn)
        self._book.probes.write(rows, len(prompts), {**counts, **judging})

    def _beginnings(self, prompt: TailPrompt, accepted: Mapping[str, Any]) -> list[tuple[str, list[int]]]:
        """Kind, and the tokens that its samples begin with."""
        text = str(accepted["text"])
        reference = prompt.reference
        reasoning = text[: gold_position(text, reference.answer, reference.option)].rstrip()
        if accepted["prefix_length"] or not reasoning or reasoning == text.rstrip():
            return [(PLAIN, [])]
        given = self._tutor.encode(prompt, reasoning)
        reasoned = [(REASONED, given)] if self._tutor.fits([*prompt.tokens, *given]) else []
        return [(PLAIN, []), *reasoned]

    def _request(self, prompt: TailPrompt, kind: str, given: list[int]) -> SampleRequest:
        seed = self._context.seed(kind, prompt.prompt.id, 0, 0)
        return self._plan.request([*prompt.tokens, *given], seed)

    def _row(self, prompt: TailPrompt, kind: str, given: list[int], done: Completion) -> dict[str, Any]:
        tokens = [*given, *done.tokens]
        return {
            "prompt": prompt.prompt.id,
            "sample": prompt.drawn + (kind == REASONED),  # apart from all others of its prompt
            "strategy": kind,
            "round": 0,
            "seed": self._request(prompt, kind, given).seed,
            "text": self._tutor.decode(tokens),
            "prompt_tokens": prompt.tokens,
            "tokens": tokens,
            "prefix_length": len(given),
            "logprob_sum": done.logprob_sum,
            "finish": done.finish,
        }
