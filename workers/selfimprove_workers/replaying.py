"""What earlier iterations selected, for `selection.replay`: read from their own training sets, never drawn again.

Of each earlier training set only what that iteration drew itself counts, so that nothing comes twice through a set that
has replayed it already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from selfimprove.artifacts import Manifest, Part, read_rows
from selfimprove.gathering import numpy_of
from selfimprove.records import EXAMPLE, PAIR, SAMPLE
from selfimprove.store.base import Store
from selfimprove.weighting import Floats, Ints
from selfimprove_workers.pooling import fingerprint


@dataclass(frozen=True)
class Kind:
    """What a training set holds."""

    schema: pa.Schema
    sample: str
    """The column with the sample that is trained towards."""


EXAMPLES = Kind(EXAMPLE, "sample")
PAIRS = Kind(PAIR, "chosen_sample")


@dataclass(frozen=True)
class Earlier:
    """One earlier iteration: what it selected, and the samples that it selected from."""

    iteration: int
    selected: Manifest
    kind: Kind
    samples: list[Part] = field(default_factory=list)
    """Empty where equal texts may stay."""


@dataclass(frozen=True)
class Replayed:
    """r examples (or pairs) of earlier iterations, in the order in which `examples_of` gives them."""

    prompt: Ints
    """[r] Index into the ids of this iteration's prompts."""
    weight: Floats
    """[r] As their filters gave it, before prompts were normalised: a mean of 1 in each prompt."""
    fingerprint: npt.NDArray[np.uint64]
    """[r] Of their texts, of pairs the preferred one's; 0 where equal texts may stay."""


def examples_of(store: Store, earlier: Sequence[Earlier]) -> Iterator[pa.Table]:
    """The examples of these iterations as rows of their kind, those that each drew itself."""
    for each in earlier:
        for batch in read_rows(store, each.selected.parts, each.kind.schema):
            own = batch.filter(pc.equal(batch["iteration"], each.iteration))
            if own.num_rows:
                yield pa.Table.from_batches([own])


def gather_replayed(store: Store, earlier: Sequence[Earlier], ids: Sequence[str]) -> Replayed:
    """Read what may train again. All prompts of a run are in every iteration, so each is among `ids`."""
    known = pa.array(ids, pa.string())
    found = [_one(store, each, known) for each in earlier]
    return Replayed(
        np.concatenate([np.empty(0, np.int64), *(each.prompt for each in found)]),
        np.concatenate([np.empty(0, np.float64), *(each.weight for each in found)]),
        np.concatenate([np.empty(0, np.uint64), *(each.fingerprint for each in found)]),
    )


def _one(store: Store, earlier: Earlier, known: pa.Array) -> Replayed:
    sample = earlier.kind.sample
    tables = [table.select(["prompt", sample, "weight"]) for table in examples_of(store, [earlier])]
    rows = pa.concat_tables(tables) if tables else earlier.kind.schema.empty_table()
    prompt = numpy_of(pc.index_in(rows["prompt"], known)).astype(np.int64)
    weight = numpy_of(rows["weight"]).astype(np.float64)
    sums, counts = np.bincount(prompt, weight, len(known)), np.bincount(prompt, minlength=len(known))
    names = list(zip(rows["prompt"].to_pylist(), rows[sample].to_pylist(), strict=True))
    return Replayed(prompt, weight * counts[prompt] / sums[prompt], _fingerprints(store, earlier.samples, names))


def _fingerprints(store: Store, samples: Sequence[Part], wanted: Sequence[tuple[str, int]]) -> npt.NDArray[np.uint64]:
    place = {name: at for at, name in enumerate(wanted)}
    found = np.zeros(len(wanted), dtype=np.uint64)
    for batch in read_rows(store, samples, SAMPLE, ["prompt", "sample", "text"]):
        for name in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if (at := place.get(name[:2])) is not None:
                found[at] = fingerprint(name[2])
    return found
