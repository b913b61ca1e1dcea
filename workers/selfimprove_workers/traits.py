"""What a sample is like, whatever it says: its length and how likely the model found it; and what sampling it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from selfimprove.artifacts import Manifest, Part, read_rows
from selfimprove.gathering import floats, numpy_of
from selfimprove.records import SAMPLE
from selfimprove.store.base import Store
from selfimprove.telemetry import Yield
from selfimprove.weighting import Bools, Floats, Ints
from selfimprove_workers.consulting import CRITIQUE
from selfimprove_workers.guidance.interactive import Interactive


@dataclass(frozen=True)
class Traits:
    """n samples, in the order of their parts."""

    characters: Ints
    """[n] Of the text, a given prefix included."""
    tokens: Ints
    """[n] That were sampled."""
    logprob: Floats
    """[n] Of all that was sampled, at temperature 1."""

    @property
    def perplexity(self) -> Floats:
        """[n] Of what was sampled; NaN where nothing was."""
        mean = np.divide(self.logprob, self.tokens, out=np.full(len(self.tokens), np.nan), where=self.tokens > 0)
        found: Floats = np.exp(-mean)
        return found


def traits_of(store: Store, parts: Sequence[Part]) -> Traits:
    """Read what samples are like, 24 bytes a sample."""
    characters, tokens, logprob = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for batch in read_rows(store, parts, SAMPLE, ["text", "tokens", "prefix_length", "logprob_sum"]):
        characters.append(numpy_of(pc.utf8_length(batch["text"])).astype(np.int64))
        tokens.append(_sampled(batch))
        logprob.append(floats(batch["logprob_sum"]))
    return Traits(np.concatenate(characters), np.concatenate(tokens), np.concatenate(logprob))


def plain_yield(traits: Traits, prompt: Ints, passed: Bools, prompts: int, target: int) -> Yield:
    """What the n plain samples brought on the tail: the prompts with fewer than `target` that passed."""
    tail = (np.bincount(prompt[passed], minlength=prompts) < target)[prompt]
    return Yield(
        strategy="",
        round=0,
        tried=int(tail.sum()),
        accepted=int((tail & passed).sum()),
        tokens=int(traits.tokens[: len(prompt)][tail].sum()),
    )


def guided_yields(store: Store, resampled: Sequence[Manifest], accepted: Bools) -> list[Yield]:
    """By strategy and round what m guided samples brought; `accepted`: [m] in the order of the manifests' parts."""
    tried: Counter[tuple[str, int]] = Counter()
    won: Counter[tuple[str, int]] = Counter()
    tokens: Counter[tuple[str, int]] = Counter()
    at = 0
    parts = [part for manifest in resampled for part in manifest.parts]
    for batch in read_rows(store, parts, SAMPLE, ["strategy", "round", "tokens", "prefix_length"]):
        turns = list(zip(batch["strategy"].to_pylist(), batch["round"].to_pylist(), strict=True))
        for turn, sampled, passed in zip(turns, _sampled(batch), accepted[at : at + batch.num_rows], strict=True):
            tried[turn] += 1
            won[turn] += int(passed)
            tokens[turn] += int(sampled)
        at += batch.num_rows
    critiques = [part for manifest in resampled for part in manifest.tables.get("critique", ())]
    for batch in read_rows(store, critiques, CRITIQUE, ["round", "tokens"]):
        for round, spent in zip(batch["round"].to_pylist(), batch["tokens"].to_pylist(), strict=True):
            tokens[Interactive.name, round] += spent
    return [
        Yield(strategy=name, round=round, tried=tried[turn], accepted=won[turn], tokens=tokens[turn])
        for turn in sorted(tokens)
        for name, round in [turn]
    ]


def _sampled(batch: pa.RecordBatch) -> Ints:
    given = numpy_of(batch["prefix_length"]).astype(np.int64)
    lengths: Ints = numpy_of(pc.list_value_length(batch["tokens"])).astype(np.int64) - given
    return lengths
