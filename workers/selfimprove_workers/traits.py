"""What a sample is like, whatever it says: its length and how likely the model found it; and what sampling it cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from selfimprove.artifacts import Manifest, Part, read_rows
from selfimprove.gathering import floats, numpy_of
from selfimprove.measures import rate_estimate
from selfimprove.records import SAMPLE
from selfimprove.store.base import Store
from selfimprove.telemetry import Yield
from selfimprove.weighting import Bools, Floats, Ints
from selfimprove_workers.choosing import KEPT, LEAKS, REASONS, Codes
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


def plain_yield(traits: Traits, prompt: Ints, passed: Bools, judged: Bools, target: int, *, seed: int) -> Yield:
    """What the n plain samples brought on the tail: the prompts with fewer than `target` that passed.

    `judged`: [P] the prompts of which anything could pass.
    """
    prompts = len(judged)
    tail = np.bincount(prompt[passed], minlength=prompts) < target
    tail &= judged
    counts = [
        np.bincount(prompt, minlength=prompts),
        np.bincount(prompt[passed], minlength=prompts),
        np.bincount(prompt, traits.tokens[: len(prompt)], minlength=prompts).astype(np.int64),
    ]
    return _yield("", 0, [each[tail] for each in counts], seed)


def guided_yields(store: Store, resampled: Sequence[Manifest], reasons: Codes, *, seed: int) -> list[Yield]:
    """By strategy and round what m guided samples brought; `reasons`: [m] in the order of the manifests' parts."""
    turns: defaultdict[tuple[str, int], defaultdict[str, list[int]]]
    turns = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))  # of each prompt: tried, accepted, tokens
    leaks: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    at = 0
    parts = [part for manifest in resampled for part in manifest.parts]
    for batch in read_rows(store, parts, SAMPLE, ["prompt", "strategy", "round", "tokens", "prefix_length"]):
        rows = zip(*(batch[name].to_pylist() for name in ("strategy", "round", "prompt")), strict=True)
        decided = reasons[at : at + batch.num_rows]
        for (strategy, round, prompt), sampled, reason in zip(rows, _sampled(batch), decided, strict=True):
            _add(turns[strategy, round][prompt], 1, int(reason == KEPT), int(sampled))
            if reason in LEAKS:
                leaks[strategy, round][REASONS[reason]] += 1
        at += batch.num_rows
    critiques = [part for manifest in resampled for part in manifest.tables.get("critique", ())]
    for batch in read_rows(store, critiques, CRITIQUE, ["prompt", "round", "tokens"]):
        for prompt, round, spent in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            _add(turns[Interactive.name, round][prompt], 0, 0, spent)
    return [_yield(*turn, [*np.array([*turns[turn].values()]).T], seed, leaks[turn]) for turn in sorted(turns)]


def _add(counts: list[int], *more: int) -> None:
    counts[:] = [count + each for count, each in zip(counts, more, strict=True)]


def _yield(
    strategy: str, round: int, by_prompt: Sequence[Ints], seed: int, leaks: Mapping[str, int] | None = None
) -> Yield:
    """`by_prompt`: tried, accepted and tokens of each prompt that had a turn."""
    tried, accepted, tokens = by_prompt
    return Yield(
        strategy=strategy,
        round=round,
        tried=int(tried.sum()),
        accepted=int(accepted.sum()),
        tokens=int(tokens.sum()),
        leaks=dict(leaks or {}),
        rate=rate_estimate(accepted, tokens / 1000, int(tried.max(initial=0)), seed=seed),
    )


def _sampled(batch: pa.RecordBatch) -> Ints:
    given = numpy_of(batch["prefix_length"]).astype(np.int64)
    lengths: Ints = numpy_of(pc.list_value_length(batch["tokens"])).astype(np.int64) - given
    return lengths
