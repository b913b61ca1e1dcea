"""What the dataset says of the prompts beside their questions: how difficult they are, and how they are solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from selfimprove.artifacts import read_rows
from selfimprove.measures import Difficulty, difficulty_of
from selfimprove.records import PROMPT
from selfimprove.weighting import Floats, Ints
from selfimprove_workers.context import StepContext


@dataclass(frozen=True)
class Described:
    """P prompts of the step's set, in the order that was asked for."""

    levels: list[str | None]
    """[P] None where the dataset has none."""
    references: list[str | None]
    """[P] The reference solutions."""

    @property
    def lengths(self) -> Ints:
        """[P] Characters of each reference, 0 without one."""
        return np.array([len(text or "") for text in self.references], dtype=np.int64)

    def difficulty(self, rate: Floats) -> Difficulty | None:
        """Their levels; `rate`: [P] M_0's share of accepted samples, NaN where unknown."""
        return difficulty_of(self.levels, self.references, rate)


def described(context: StepContext, ids: Sequence[str]) -> Described:
    """The prompts of these ids; one that the set does not hold has neither level nor reference."""
    parts = context.prompt_set[0].tables.get(context.split, [])
    known: dict[str, tuple[str | None, str | None]] = {}
    for batch in read_rows(context.store, parts, PROMPT, ["prompt", "level", "rationale"]):
        prompts, *rest = (column.to_pylist() for column in batch.columns)
        known.update(zip(prompts, zip(*rest, strict=True), strict=True))
    found = [known.get(prompt, (None, None)) for prompt in ids]
    return Described([level for level, _ in found], [reference for _, reference in found])
