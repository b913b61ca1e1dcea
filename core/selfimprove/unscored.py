"""Samples that a verification method gave no score: no filter keeps one, whatever its answer is worth.

The figures are those that `verify` and `evaluate` count. Of them a cluster's status remembers what `remembered` gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfimprove.api.selecting import Method
from selfimprove.api.spec import Spec
from selfimprove.numerals import counted
from selfimprove.summaries import Summary
from selfimprove.verdicts import UTILITY

SAMPLES = "samples"
"""How many there were stands under this name in a status, which keeps no rows to tell it from."""
_MOST = 4
"""So many methods a status remembers, the worst: it holds 16 counts, and six of them are verdicts."""


@dataclass(frozen=True)
class Unscored:
    """A method that left samples without a score."""

    field: str
    """Where it stands in the spec."""
    name: str
    method: Method
    missing: int
    samples: int
    unread: int
    """Critiques that could not be read; 0 of a method that draws none."""

    @property
    def mostly(self) -> bool:
        """Whether it scored no more than half of the samples."""
        return 2 * self.missing >= self.samples

    def __str__(self) -> str:
        """`12 of 12 without a score by CoTScore (12 critiques could not be read)`."""
        unread = f" ({counted(self.unread, 'critique')} could not be read)" if self.unread else ""
        return f"{self.missing:,} of {self.samples:,} without a score by {self.name}{unread}"


def unscored(spec: Spec, summaries: Iterable[Summary]) -> list[Unscored]:
    """The methods that left samples of a step without a score, worst first; none of a step that gives no scores.

    `summaries`: of its shards; `spec`: resolved. The task's own check is no such method: what it can't tell is a
    verdict.
    """
    shards = list(summaries)
    samples = sum(_samples(spec, shard) for shard in shards)
    found = [
        Unscored(field, name, method, missing, samples, _count(shards, f"unparsed.{name}"))
        for field, name, method in _judges(spec)
        if (missing := _count(shards, f"noScore.{name}"))
    ]
    return sorted(found, key=lambda each: -each.missing)


def remembered(spec: Spec, shards: Sequence[Summary], whole: bool) -> dict[str, int]:
    """The counts that a status keeps of a step. `whole`: no shard of it is missing.

    Of the methods that scored no more than half; before all shards are there of every method, since it may become one.
    """
    kept = [each for each in unscored(spec, shards) if each.mostly or not whole][:_MOST]
    if not shards or not _judges(spec) or (whole and not kept):
        return {}
    counts = {SAMPLES: sum(_samples(spec, shard) for shard in shards)}
    for each in kept:
        counts |= {f"noScore.{each.name}": each.missing} | (
            {f"unparsed.{each.name}": each.unread} if each.unread else {}
        )
    return counts


def _judges(spec: Spec) -> list[tuple[str, str, Method]]:
    return [
        (f"verification.methods[{index}]", method.name or method.type, method)
        for index, method in enumerate(spec.methods)
        if method.type != "GroundTruth"
    ]


def _samples(spec: Spec, shard: Summary) -> int:
    """A step that draws has a row a sample; `verify` has one a sample and method, and one a verdict."""
    if shard.step != "verify":
        return shard.rows
    verdicts = sum(count for name, count in shard.counts.items() if name in UTILITY)
    return shard.counts.get(SAMPLES) or max((shard.rows - verdicts) // max(len(_judges(spec)), 1), verdicts)


def _count(shards: Iterable[Summary], name: str) -> int:
    return sum(shard.counts.get(name, 0) for shard in shards)
