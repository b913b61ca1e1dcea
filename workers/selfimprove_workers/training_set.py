"""What `select` writes: the training examples, what was decided of every sample, and a tally of every prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from selfimprove.artifacts import Manifest, Part, PartWriter, read_rows
from selfimprove.gathering import Gathered
from selfimprove.records import DECISION, EXAMPLE, PAIR, SAMPLE
from selfimprove.store.base import Store
from selfimprove.weighting import Bools, Floats, Ints
from selfimprove_workers.choosing import REASONS, Codes
from selfimprove_workers.committing import Recipe
from selfimprove_workers.context import StepContext
from selfimprove_workers.pairing import Pairs
from selfimprove_workers.pooling import Guided
from selfimprove_workers.replaying import Earlier, Replayed, examples_of
from selfimprove_workers.whole_prompts import whole_prompts

ROWS_PER_PART = 8192

TALLY = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("level", pa.string()),
        pa.field("samples", pa.int32(), False),  # plain ones
        pa.field("accepted", pa.int32()),  # plain ones that are correct, or accepted where no answer is known
        pa.field("guided", pa.int32(), False),
        pa.field("examples", pa.int32(), False),
        pa.field("tail", pa.bool_(), False),  # was it tail at iteration 1: the fixed set that tail coverage is over
    ]
)
"""One prompt's part in the selection."""


@dataclass(frozen=True)
class Decided:
    """What was decided, of the plain samples first, then of the guided ones, then of what earlier iterations kept."""

    plain: Gathered
    guided: Guided
    replayed: Replayed
    weight: Floats
    """[n + m + r]"""
    reason: Codes
    """[n + m + r]"""
    levels: list[str | None]
    """[P]"""
    passed: Floats | None
    """[n] 1 where a plain sample counts as accepted; None where nobody can tell."""
    tail: frozenset[str]
    pairs: Pairs | None = None
    """What is trained on in place of single samples, under method DPO; each pair's weight stands at its chosen one."""

    @property
    def plain_count(self) -> int:
        """n."""
        return len(self.plain.prompt)

    @property
    def fresh_count(self) -> int:
        """n + m: what this iteration drew itself."""
        return self.plain_count + len(self.guided.prompt)

    @property
    def prompt(self) -> Ints:
        """[n + m + r] Index of each sample's prompt."""
        return np.concatenate([self.plain.prompt, self.guided.prompt, self.replayed.prompt])

    @property
    def accepted(self) -> Ints | None:
        """[P] Plain samples of each prompt that count as accepted; None where nobody can tell."""
        if self.passed is None:
            return None
        return np.bincount(self.plain.prompt[self.passed == 1], minlength=len(self.plain.ids))

    @property
    def judged(self) -> Bools:
        """[P] Whether a prompt has a plain sample of which it can be told whether it counts as accepted."""
        known = np.zeros(self.plain_count, dtype=bool) if self.passed is None else ~np.isnan(self.passed)
        found: Bools = np.bincount(self.plain.prompt[known], minlength=len(self.plain.ids)) > 0
        return found


def write_tables(
    context: StepContext,
    recipe: Recipe,
    fresh: Sequence[Part],
    earlier: Sequence[Earlier],
    decided: Decided,
) -> dict[str, list[Part]]:
    """Write the tables example (rows PAIR under DPO), decision and tally, streaming the samples once more.

    What is replayed comes last; it was decided in its own iteration, so it has no new decision.
    """
    digest = recipe.digest(context)

    def writer(table: str, schema: pa.Schema) -> PartWriter:
        return context.writer(digest, schema, table=table, adopt=False)

    examples = writer("part", EXAMPLE if decided.pairs is None else PAIR)
    decisions, tally = writer("decision", DECISION), writer("tally", TALLY)
    coupler = None if decided.pairs is None else _Coupler(decided, decided.pairs, context.step.iteration)
    prompts, at = decided.prompt, 0
    for samples in _streams(context.store, fresh):
        here = slice(at, at + samples.num_rows)
        at = here.stop
        weight, which = decided.weight[here], prompts[here]
        _write(decisions, _decisions(samples, weight, decided.reason[here]))
        if coupler is None:
            _write(examples, _examples(samples, weight, which, decided.levels, context.step.iteration))
        else:
            _write(examples, coupler.couple(samples, here))
    for replayed in examples_of(context.store, earlier):
        here = slice(at, at + replayed.num_rows)
        at = here.stop
        _write(examples, _reweighted(replayed, decided.weight[here]))
    _write(tally, _tally(decided))
    return {"example": examples.parts, "decision": decisions.parts, "tally": tally.parts}


def read_tally(store: Store, selected: Manifest) -> frozenset[str]:
    """The prompts that a selection counts as the tail of iteration 1."""
    batches = read_rows(store, selected.tables.get("tally", []), TALLY, ["prompt", "tail"])
    return frozenset(id for batch in batches for id in batch["prompt"].filter(batch["tail"]).to_pylist())


def read_rates(store: Store, selected: Manifest) -> dict[str, float]:
    """Prompt -> its share of accepted plain samples, by a selection's tally; empty where nobody could tell."""
    found: dict[str, float] = {}
    for batch in read_rows(store, selected.tables.get("tally", []), TALLY, ["prompt", "samples", "accepted"]):
        for prompt, samples, accepted in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if accepted is not None and samples:
                found[prompt] = accepted / samples
    return found


def read_kept_plain(store: Store, selected: Manifest) -> Counter[str]:
    """Prompt -> how many of its plain samples a selection kept for training."""
    found: Counter[str] = Counter()
    columns = ["prompt", "strategy", "weight"]
    for batch in read_rows(store, selected.tables.get("decision", []), DECISION, columns):
        plain = pc.and_(pc.equal(batch["strategy"], ""), pc.greater(batch["weight"], 0))
        found.update(batch["prompt"].filter(plain).to_pylist())
    return found


def _streams(store: Store, parts: Sequence[Part]) -> Iterator[pa.Table]:
    columns = ["prompt", "sample", "strategy", "prompt_tokens", "tokens"]
    yield from whole_prompts(read_rows(store, parts, SAMPLE, columns), ROWS_PER_PART)


def _decisions(samples: pa.Table, weight: Floats, reason: Codes) -> pa.Table:
    names = pa.array(REASONS).take(pa.array(reason))
    return (
        samples.select(["prompt", "sample", "strategy"])
        .append_column("weight", pa.array(weight))
        .append_column("reason", names)
    )


def _examples(
    samples: pa.Table, weight: Floats, prompt: Ints, levels: Sequence[str | None], iteration: int
) -> pa.Table:
    kept = np.flatnonzero(weight > 0)
    chosen = samples.take(pa.array(kept))
    columns = {
        "iteration": pa.array(np.full(len(kept), iteration, dtype=np.int32)),
        "level": pa.array([levels[at] for at in prompt[kept]], pa.string()),
        "weight": pa.array(weight[kept].astype(np.float32)),
    }
    for name, column in columns.items():
        chosen = chosen.append_column(name, column)
    return chosen


def _reweighted(examples: pa.Table, weight: Floats) -> pa.Table:
    kept = np.flatnonzero(weight > 0)
    at = examples.schema.get_field_index("weight")
    return examples.take(pa.array(kept)).set_column(at, "weight", pa.array(weight[kept].astype(np.float32)))


class _Coupler:
    """Brings the two samples of each pair together as they stream by, prompt after prompt.

    Both are in one table, but for a pair with a guided sample: those come last, and what they are preferred to waits.
    """

    def __init__(self, decided: Decided, pairs: Pairs, iteration: int) -> None:
        self._decided, self._pairs, self._iteration = decided, pairs, iteration
        self._waiting: list[pa.Table] = []
        self._places = np.empty(0, np.int64)

    def couple(self, samples: pa.Table, here: slice) -> pa.Table:
        """The rows of the pairs whose preferred sample is among these, which stand at `here` in the pool."""
        table = pa.concat_tables([*self._waiting, samples])
        places = np.concatenate([self._places, np.arange(here.start, here.stop)])
        chosen, rejected = self._pairs.chosen, self._pairs.rejected
        ready = (chosen >= here.start) & (chosen < here.stop)
        rows = self._rows(table, places, chosen[ready], rejected[ready])
        waits = np.flatnonzero(np.isin(places, rejected[chosen >= here.stop]))
        self._waiting, self._places = [table.take(pa.array(waits))], places[waits]
        return rows

    def _rows(self, table: pa.Table, places: Ints, chosen: Ints, rejected: Ints) -> pa.Table:
        """`places` ascend: plain samples come before guided ones."""
        one, other = (table.take(pa.array(np.searchsorted(places, which))) for which in (chosen, rejected))
        columns = {
            "prompt": one["prompt"],
            "chosen_sample": one["sample"],
            "rejected_sample": other["sample"],
            "iteration": np.full(len(chosen), self._iteration),
            "strategy": one["strategy"],
            "level": pa.array([self._decided.levels[at] for at in self._decided.prompt[chosen]], pa.string()),
            "prompt_tokens": one["prompt_tokens"],
            "chosen_tokens": one["tokens"],
            "rejected_tokens": other["tokens"],
            "weight": self._decided.weight[chosen],
        }
        return pa.table(columns).cast(PAIR)


def _tally(decided: Decided) -> pa.Table:
    plain, size = decided.plain, len(decided.plain.ids)
    columns = {
        "prompt": pa.array(plain.ids, pa.string()),
        "level": pa.array(decided.levels, pa.string()),
        "samples": np.bincount(plain.prompt, minlength=size),
        "accepted": pa.nulls(size, pa.int32()) if decided.accepted is None else decided.accepted,
        "guided": np.bincount(decided.guided.prompt, minlength=size),
        "examples": np.bincount(decided.prompt[decided.weight > 0], minlength=size),
        "tail": np.array([prompt in decided.tail for prompt in plain.ids], dtype=bool),
    }
    return pa.table(columns)


def _write(writer: PartWriter, rows: pa.Table) -> None:
    prompts = len(rows["prompt"].unique())
    if prompts:
        writer.write(rows, prompts)
