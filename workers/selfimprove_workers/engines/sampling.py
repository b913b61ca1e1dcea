"""One token for every row of a batch, each from its own noise.

A row's noise is one uniform number a position, a hash of (seed of the sample, position): nothing else in the batch, no
order of work and no restart can shift it. The token is read off the inverse of the truncated distribution's cumulative
sum, most probable token first, so one number a row is all the noise there is. Sorting a whole vocabulary costs more
than a small model's forward pass on a CPU; a nucleus nearly always lies within the best 64 tokens, so those are tried
first, then 1,024, then all, for the rows that need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from selfimprove_workers.engines.base import SampleRequest

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_TIERS = (64, 1024)
_BLOCK = 64
_CACHED_ROWS = 32
"""Rows worked on at once on a CPU: their scores stay in its cache, which is twice as fast as all rows at once."""


def uniforms(seeds: Sequence[int], positions: Sequence[int]) -> NDArray[np.float64]:
    """One number in [0, 1) for each (seed, position): splitmix64 in counter mode, 53 bits."""
    with np.errstate(over="ignore"):
        start = _mix(np.asarray([seed & (2**64 - 1) for seed in seeds], dtype=np.uint64) + _GOLDEN)
        bits = _mix(start + _GOLDEN * (np.asarray(positions, dtype=np.uint64) + np.uint64(1)))
    return np.asarray((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True)
class Settings:
    """Temperature, top-p and top-k of every row, as vectors of length `rows`; temperature 0 is greedy."""

    greedy: Tensor
    temperature: Tensor
    top_p: Tensor
    top_k: Tensor
    unlimited: Tensor
    """Rows without a top-k."""
    plain: bool
    """All temperatures are 1 (or greedy): the untruncated normaliser serves twice."""

    @classmethod
    def of(cls, requests: Sequence[SampleRequest], vocabulary: int, device: torch.device) -> Settings:
        """The settings of these requests, on `device`. A top-k below 1 is none."""
        temperatures = [r.temperature for r in requests]
        top_k = [r.top_k if 0 < r.top_k < vocabulary else vocabulary for r in requests]
        return cls(
            greedy=torch.tensor([t == 0 for t in temperatures], device=device),
            temperature=torch.tensor([t or 1.0 for t in temperatures], dtype=torch.float32, device=device),
            top_p=torch.tensor([r.top_p for r in requests], dtype=torch.float32, device=device),
            top_k=torch.tensor(top_k, device=device),
            unlimited=torch.tensor([k == vocabulary for k in top_k], device=device),
            plain=all(t in (0, 1) for t in temperatures),
        )

    def rows(self, keep: Tensor | slice) -> Settings:
        """The settings of some rows: a slice, or a vector of booleans."""
        return replace(
            self,
            greedy=self.greedy[keep],
            temperature=self.temperature[keep],
            top_p=self.top_p[keep],
            top_k=self.top_k[keep],
            unlimited=self.unlimited[keep],
        )


def pick(logits: Tensor, settings: Settings, noise: Tensor) -> tuple[Tensor, Tensor]:
    """A token for each row of `logits` (rows, vocabulary), and its log-probability at temperature 1, untruncated.

    `noise` is a vector of numbers in [0, 1). Order of truncation: temperature, top-k, top-p, as transformers and vLLM.
    """
    if logits.device.type != "cpu" or len(logits) <= _CACHED_ROWS:
        return _pick(logits.float(), settings, noise)
    places = range(0, len(logits), _CACHED_ROWS)
    spans = [slice(start, start + _CACHED_ROWS) for start in places]
    picked = [_pick(logits[span].float(), settings.rows(span), noise[span]) for span in spans]
    return torch.cat([tokens for tokens, _ in picked]), torch.cat([logprobs for _, logprobs in picked])


def _pick(scores: Tensor, settings: Settings, noise: Tensor) -> tuple[Tensor, Tensor]:
    vocabulary = scores.shape[-1]
    best, ids = _best(scores, min(_TIERS[0], vocabulary))
    norm = _normaliser(scores, best[:, 0], ids[:, 0])
    warm = norm
    if not settings.plain:
        hottest = best[:, 0] / settings.temperature
        warm = _normaliser(scores / settings.temperature[:, None], hottest, ids[:, 0])
    tokens, known = _invert(best, ids, warm, settings, noise)
    for tier in (*_TIERS[1:], vocabulary):
        rows = ~known
        if not bool(rows.any()):
            break
        wider = scores[rows].topk(min(tier, vocabulary), dim=-1)
        tokens[rows], known[rows] = _invert(*wider, warm[rows], settings.rows(rows), noise[rows], tier >= vocabulary)
    return tokens, scores.gather(-1, tokens[:, None])[:, 0] - norm


def _best(scores: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The `width` highest scores of each row, falling, and their tokens.

    They lie in the `width` blocks whose maxima are highest, so that only those are searched: on a CPU half the time.
    """
    rows, vocabulary = scores.shape
    if vocabulary % _BLOCK or vocabulary < 4 * _BLOCK * width:
        found = scores.topk(width, dim=-1)
        return found.values, found.indices
    blocks = scores.view(rows, -1, _BLOCK)
    chosen = blocks.amax(-1).topk(width, dim=-1, sorted=False).indices
    inside = blocks.gather(1, chosen[:, :, None].expand(-1, -1, _BLOCK)).view(rows, -1)
    best = inside.topk(width, dim=-1)
    block = chosen.gather(-1, best.indices // _BLOCK)
    return best.values, block * _BLOCK + best.indices % _BLOCK


def _normaliser(scores: Tensor, highest: Tensor, where: Tensor) -> Tensor:
    """log-sum-exp of each row, by way of softmax: one fused pass where logsumexp makes four."""
    return highest - scores.softmax(-1).gather(-1, where[:, None])[:, 0].log()


def _invert(
    best: Tensor, ids: Tensor, warm: Tensor, settings: Settings, noise: Tensor, everything: bool = False
) -> tuple[Tensor, Tensor]:
    """The token at `noise` of each row's cumulative sum over its best tokens, and whether those decide it.

    `best` (rows, width) are falling scores, `ids` their tokens, `warm` the normaliser at the rows' temperatures.
    """
    width = best.shape[-1]
    scaled = best / settings.temperature[:, None]
    inside = torch.arange(width, device=best.device) < settings.top_k[:, None]
    whole = settings.top_k <= width
    norm = torch.where(whole, scaled.masked_fill(~inside, -torch.inf).logsumexp(-1), warm)
    cumulative = (scaled - norm[:, None]).exp().masked_fill(~inside, 0.0).cumsum(-1)
    mass_before = torch.nn.functional.pad(cumulative[:, :-1], (1, 0))
    kept = inside & (mass_before < settings.top_p[:, None])
    count = kept.sum(-1)
    nucleus = cumulative.gather(-1, count[:, None] - 1)[:, 0]
    cut = settings.top_p < 1
    target = noise.to(nucleus.dtype) * torch.where(cut, nucleus, torch.ones_like(nucleus))
    place = torch.minimum(((cumulative <= target[:, None]) & kept).sum(-1), count - 1)
    place = place.masked_fill(settings.greedy, 0)
    reached = torch.where(cut, cumulative[:, -1] >= settings.top_p, cumulative[:, -1] > target)
    # A nucleus within a top-k is a share of the top-k's own mass, which only a width of all its tokens knows.
    known = settings.greedy | whole | (reached & settings.unlimited) | everything
    return ids.gather(-1, place[:, None])[:, 0], known
