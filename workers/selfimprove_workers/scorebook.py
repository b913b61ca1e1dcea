"""Scores as they are written: one chain of parts, and one of the critiques that scores came from, where any did."""

from __future__ import annotations

from collections.abc import Mapping

from selfimprove.artifacts import Part
from selfimprove.records import SCORE, VOTE
from selfimprove_workers.context import StepContext
from selfimprove_workers.examining import Scored, judges_of


class Scorebook:
    """The SCORE rows of a step in the chain `table`, kept in step with its VOTE rows in the chain `critique`."""

    def __init__(self, context: StepContext, digest: str, table: str = "part") -> None:
        draws = any(judge.verifier.draws for judge in judges_of(context.spec))
        tables = {"critique": VOTE, table: SCORE} if draws else {table: SCORE}
        writers = context.writers_in_step(digest, tables)
        self._scores, self._votes = writers[table], writers.get("critique")

    @property
    def parts(self) -> list[Part]:
        """Of the scores."""
        return self._scores.parts

    @property
    def tables(self) -> dict[str, list[Part]]:
        """The critiques, as a manifest lists them; empty where no method draws any."""
        return {"critique": self._votes.parts} if self._votes else {}

    @property
    def prompts_done(self) -> int:
        """Prompts that these parts complete, counted once a pass."""
        return self._scores.prompts_done

    @property
    def totals(self) -> dict[str, int]:
        """The counts of all parts."""
        return self._scores.totals

    def write(self, scored: Scored, more: Mapping[str, int]) -> None:
        """Commit whole prompts as one part of each chain, the critiques first. `more`: what else is to be counted."""
        if self._votes:
            self._votes.write(scored.votes, scored.prompts)
        self._scores.write(scored.rows, scored.prompts, {**scored.counts, **more})
