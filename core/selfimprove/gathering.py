"""The plain samples of a step and their scores as a few parallel arrays: 100 bytes a sample, whatever its length.

`resample` looks at its own shard this way, `select` at all of them; texts and tokens stay in storage until one of a few
samples is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from selfimprove.artifacts import Manifest, Part, read_rows
from selfimprove.errors import FailedError
from selfimprove.filtering import GROUND_TRUTH
from selfimprove.records import SAMPLE, SCORE
from selfimprove.store.base import Store
from selfimprove.verdicts import UTILITY
from selfimprove.weighting import Bools, Floats, Ints


@dataclass(frozen=True)
class Gathered:
    """n plain samples of P prompts, in the order in which `generate` wrote them."""

    ids: list[str]
    """[P] Prompt ids, in the order of their first sample."""
    prompt: Ints
    """[n] Index into `ids`."""
    sample: Ints
    """[n] Index within the prompt."""
    truncated: Bools
    """[n] Cut by length."""
    utility: Floats
    """[n] Under `dataset.grading`; NaN where no answer is known."""
    strict_utility: Floats
    """[n] Under the strict check."""
    scores: dict[str, Floats]
    """Method name -> [n]; NaN where missing."""
    mass: dict[str, Floats]
    """The same of the probability mass on the labels, of the methods that read labels."""
    answer: Ints
    """[n] What the sample answers, equal numbers for equal answers in the task's normal form; -1 for none, and where no
    gold answer asked for a check."""


def gather(store: Store, samples: Sequence[Part], scores: Sequence[Part], methods: Iterable[str]) -> Gathered:
    """Read plain samples and their scores. Raises `FailedError` when a score is of a sample that is not there."""
    ids, prompt, sample, truncated = _samples(store, samples)
    places = _Places(ids, prompt, sample)
    columns = {name: np.full(len(prompt), np.nan) for name in dict.fromkeys([*methods, GROUND_TRUTH])}
    strict = np.full(len(prompt), np.nan)
    masses: dict[str, Floats] = {}
    answer, codes = np.full(len(prompt), -1), _Codes()
    for batch in read_rows(store, scores, SCORE, _SCORE_COLUMNS):
        at, found, mass = places.find(batch), floats(batch["score"]), floats(batch["mass"])
        for name, column in columns.items():
            rows = np.flatnonzero(numpy_of(pc.equal(batch["method"], name)))
            column[at[rows]] = found[rows]
            if np.isfinite(mass[rows]).any():
                masses.setdefault(name, np.full(len(prompt), np.nan))[at[rows]] = mass[rows]
            if name == GROUND_TRUTH:
                strict[at[rows]] = utilities(batch["strict_verdict"])[rows]
                answer[at[rows]] = codes.of(batch["answer"])[rows]
    return Gathered(ids, prompt, sample, truncated, columns[GROUND_TRUTH], strict, columns, masses, answer)


def gather_checked(store: Store, manifests: Sequence[Manifest], methods: Iterable[str]) -> Gathered:
    """What `gather` gives, of steps that keep their scores in a table beside the samples, as `evaluate` does."""
    samples = [part for manifest in manifests for part in manifest.parts]
    scores = [part for manifest in manifests for part in manifest.tables.get("score", ())]
    return gather(store, samples, scores, methods)


def utilities(verdicts: pa.Array) -> Floats:
    """Utility of each verdict, NaN for none, for GoldUnparsable and for null."""
    names = list(UTILITY)
    values = [np.nan if value is None else value for value in UTILITY.values()]
    index = pc.fill_null(pc.index_in(verdicts, pa.array(names)), len(names))
    found: Floats = np.array([*values, np.nan])[numpy_of(index)]
    return found


_SCORE_COLUMNS = ["prompt", "sample", "method", "score", "mass", "strict_verdict", "answer"]


class _Codes:
    """A number for each text, the same in every batch."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, column: pa.Array) -> Ints:
        """[rows] The number of each text, -1 for null."""
        coded = column.dictionary_encode()
        numbers = [self._known.setdefault(text, len(self._known)) for text in coded.dictionary.to_pylist()]
        found: Ints = np.array([*numbers, -1])[numpy_of(pc.fill_null(coded.indices, len(numbers)))]
        return found


class _Places:
    """Where the sample of a (prompt, index) stands among the gathered ones."""

    def __init__(self, ids: list[str], prompt: Ints, sample: Ints) -> None:
        self._ids = pa.array(ids, pa.string())
        keys = _keys(prompt, sample)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def find(self, batch: pa.RecordBatch) -> Ints:
        """[rows] The place of each row's sample. Raises `FailedError` when one has none."""
        index = pc.fill_null(pc.index_in(batch["prompt"], self._ids), -1)
        keys = _keys(numpy_of(index).astype(np.int64), numpy_of(batch["sample"]).astype(np.int64))
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        if len(keys) and (not len(self._sorted) or (self._sorted[at] != keys).any()):
            raise FailedError("the scores are of samples that generate did not write; delete the run and begin again")
        places: Ints = self._order[at]
        return places


def _samples(store: Store, parts: Sequence[Part]) -> tuple[list[str], Ints, Ints, Bools]:
    index: dict[str, int] = {}
    columns: list[tuple[Ints, Ints, Bools]] = []
    for batch in read_rows(store, parts, SAMPLE, ["prompt", "sample", "finish"]):
        coded = batch["prompt"].dictionary_encode()
        codes = np.array([index.setdefault(name, len(index)) for name in coded.dictionary.to_pylist()], dtype=np.int64)
        prompt = codes[numpy_of(coded.indices)]
        columns.append(
            (prompt, numpy_of(batch["sample"]).astype(np.int64), numpy_of(pc.equal(batch["finish"], "length")))
        )
    prompts, samples, truncated = zip(*columns, strict=True) if columns else ((), (), ())
    return (
        list(index),
        np.concatenate([np.empty(0, np.int64), *prompts]),
        np.concatenate([np.empty(0, np.int64), *samples]),
        np.concatenate([np.empty(0, bool), *truncated]),
    )


def _keys(prompt: Ints, sample: Ints) -> Ints:
    return (prompt << 32) | sample


def floats(column: pa.Array) -> Floats:
    """A column of numbers, NaN for null."""
    return np.asarray(pc.fill_null(column, np.nan).to_numpy(zero_copy_only=False), dtype=np.float64)


def numpy_of(column: pa.Array) -> npt.NDArray[Any]:
    """A column without nulls."""
    array: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return array
