"""What has been committed, as the decision sees it. Built from manifests on one machine, from pods in a cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from selfimprove.api.execution import StepName
from selfimprove.summaries import Measures, Selected, Summary
from selfimprove.verdicts import UTILITY


class StepId(NamedTuple):
    """One step of one iteration; `split` is `test` for the last look at `dataset.test`, else empty."""

    iteration: int
    step: StepName
    split: str = ""

    @property
    def name(self) -> str:
        """As people and keys spell it: `i002-verify`."""
        return f"i{self.iteration:03d}-{self.step}" + (f"-{self.split}" if self.split else "")


@dataclass(frozen=True)
class Usage:
    """What was spent, all attempts together."""

    gpu_seconds: float = 0.0
    tokens: int = 0
    wall_seconds: float = 0.0


@dataclass(frozen=True)
class Ledger:
    """The committed shards of every step, the failures of those that are not, and what was spent.

    A ledger is a value: `with_commit` and `with_failure` give a new one.
    """

    committed: Mapping[StepId, Mapping[int, Summary]] = field(default_factory=dict)
    failures: Mapping[StepId, int] = field(default_factory=dict)
    """Failed attempts at each step; of a sharded one, those of the shard that failed most."""
    causes: Mapping[StepId, str] = field(default_factory=dict)
    """What the last failed attempt at a step said."""
    fatal: Mapping[StepId, str] = field(default_factory=dict)
    """Steps that failed for good (exit 2 or 3, or too many failures), with the message."""
    worked_on: frozenset[StepId] = frozenset()
    """Steps that were at work where the executor knows that before anything of them is committed."""
    usage: Usage = Usage()
    gpu_seconds: Mapping[int, float] = field(default_factory=dict)
    """GPU-seconds of each iteration where the executor counts them itself: all attempts, from the pods' own times."""

    def verdicts(self, step: StepId) -> Counter[str]:
        """How many samples of a step got which verdict, all its shards together."""
        counts = sum((Counter(summary.counts) for summary in self.committed.get(step, {}).values()), Counter[str]())
        return Counter({name: counts[name] for name in UTILITY if counts[name]})

    def shards_done(self, step: StepId) -> frozenset[int]:
        """The shards of a step whose manifest is committed."""
        return frozenset(self.committed.get(step, {}))

    def summary(self, step: StepId) -> Summary | None:
        """The summary of a step of one shard, or None before it is committed."""
        return self.committed.get(step, {}).get(0)

    def measures(self, iteration: int, split: str = "") -> Measures | None:
        """What was measured of M_n on the held-out prompts, once it was."""
        summary = self.summary(StepId(iteration, "measure", split))
        return summary.measures if summary else None

    def selected(self, iteration: int) -> Selected | None:
        """What was selected from the samples of M_(n-1), once it was."""
        summary = self.summary(StepId(iteration, "select"))
        return summary.selected if summary else None

    def measured_iterations(self) -> list[int]:
        """The iterations whose model has been measured on the held-out prompts, in order."""
        return sorted(i for i, step, split in self.committed if step == "measure" and not split)

    def with_commit(self, summary: Summary) -> Ledger:
        """The ledger after one more shard is committed; committing it again changes nothing."""
        key = StepId(summary.iteration, summary.step, summary.split)
        shards = self.committed.get(key, {})
        if summary.shard in shards:
            return self
        usage = replace(
            self.usage,
            gpu_seconds=self.usage.gpu_seconds + summary.gpu_seconds,
            tokens=self.usage.tokens + summary.tokens,
            wall_seconds=self.usage.wall_seconds + summary.seconds,
        )
        committed = {**self.committed, key: {**shards, summary.shard: summary}}
        return replace(self, committed=committed, usage=usage)

    def begun(self, iteration: int) -> bool:
        """Whether any of an iteration's own steps was worked on (the last look at the test set is not one)."""
        begun = (*self.worked_on, *(step for step, shards in self.committed.items() if shards))
        return any(step.iteration == iteration and not step.split for step in begun)

    def with_failure(self, step: StepId, cause: str = "") -> Ledger:
        """The ledger after one more failed attempt at a step, with what that attempt said."""
        failures = {**self.failures, step: self.failures.get(step, 0) + 1}
        return replace(self, failures=failures, causes={**self.causes, step: cause})

    def with_wall_seconds(self, seconds: float) -> Ledger:
        """The ledger after an executor that looks at the clock itself has seen some more work."""
        return replace(self, usage=replace(self.usage, wall_seconds=self.usage.wall_seconds + seconds))

    def with_gpu_seconds(self, iteration: int, seconds: float) -> Ledger:
        """The ledger after an executor that counts GPUs itself has counted some more."""
        usage = replace(self.usage, gpu_seconds=self.usage.gpu_seconds + seconds)
        spent = {**self.gpu_seconds, iteration: self.gpu_seconds.get(iteration, 0.0) + seconds}
        return replace(self, usage=usage, gpu_seconds=spent)

    def with_fatal(self, step: StepId, message: str) -> Ledger:
        """The ledger after a step failed in a way that no retry can mend."""
        return replace(self, fatal={**self.fatal, step: message})


def ledger_of(summaries: Iterable[Summary]) -> Ledger:
    """The ledger of a run from the summaries of everything it committed, in any order."""
    ledger = Ledger()
    for summary in summaries:
        ledger = ledger.with_commit(summary)
    return ledger
