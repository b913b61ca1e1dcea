"""One token a row: the noise, the truncation, the order of work, and how many sequences are in flight."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selfimprove_workers.engines.base import SampleRequest
from selfimprove_workers.engines.capacity import Capacity, waves
from selfimprove_workers.engines.sampling import Settings, pick, uniforms

CPU = torch.device("cpu")
SEEDS = st.integers(0, 2**63 - 1)


ROUNDING = 2e-5
"""By how much a sum of float32 shares may differ from the exact one."""


def span(logits: np.ndarray, token: int, temperature: float, top_p: float, top_k: int) -> tuple[float, float]:
    """Where `token` lies on the truncated distribution's cumulative sum, in float64: sort all, cut, add up.

    Tokens that rounding may have counted into the nucleus, or out of it, are allowed either way.
    """
    order = np.argsort(-logits, kind="stable")
    scaled = logits[order] / temperature
    if top_k > 0:
        scaled = scaled[:top_k]
    share = np.exp(scaled - scaled.max())
    share /= share.sum()
    before = share.cumsum() - share
    surely, perhaps = (share[before < top_p + sign * ROUNDING].sum() for sign in (-1, 1))
    (place,) = np.flatnonzero(order == token)
    assert place < len(share) and before[place] < top_p + ROUNDING
    return float(before[place] / perhaps), float((before[place] + share[place]) / (surely or share[0]))


@settings(deadline=None)
@example(seed=0, vocabulary=5000, spread=0.0, temperature=1.0, top_p=0.1, top_k=2000)  # a nucleus inside a wide top-k
@given(
    seed=st.integers(0, 2**32 - 1),
    vocabulary=st.sampled_from([3, 50, 1000, 5000, 16384]),
    spread=st.sampled_from([0.0, 0.3, 2.0, 8.0]),
    temperature=st.sampled_from([0.0, 0.5, 1.0, 1.7]),
    top_p=st.sampled_from([0.1, 0.9, 0.999, 1.0]),
    top_k=st.sampled_from([-1, 1, 7, 100, 2000]),
)
def test_a_pick_is_the_inverse_of_the_truncated_distribution(
    seed: int, vocabulary: int, spread: float, temperature: float, top_p: float, top_k: int
) -> None:
    draw = np.random.default_rng(seed)
    # Distinct scores: between equal ones either order is right.
    logits = (draw.permutation(vocabulary) / vocabulary + draw.normal(size=vocabulary) * spread).astype(np.float32)
    noise = float(np.float32(draw.random()))
    request = SampleRequest([1], 0, 1, temperature, top_p, top_k)
    tokens, logprobs = pick(torch.tensor(logits)[None], Settings.of([request], vocabulary, CPU), torch.tensor([noise]))
    exact = logits.astype(np.float64)
    if temperature == 0:
        assert int(tokens[0]) == int(exact.argmax())
    else:
        low, high = span(exact, int(tokens[0]), temperature, top_p, top_k)
        assert low - ROUNDING <= noise <= high + ROUNDING
    assert float(logprobs[0]) == pytest.approx(
        exact[int(tokens[0])] - exact.max() - math.log(np.exp(exact - exact.max()).sum()), abs=1e-4
    )


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 100])
def test_rows_are_picked_alike_alone_and_in_a_batch(rows: int) -> None:
    draw = torch.Generator().manual_seed(rows)
    logits = torch.randn(rows, 8192, generator=draw) * 3
    noise = torch.rand(rows, generator=draw)
    requests = [
        SampleRequest([1], i, 1, [0.0, 0.7, 1.0][i % 3], [0.9, 1.0][i % 2], [-1, 5][i % 2]) for i in range(rows)
    ]
    tokens, logprobs = pick(logits, Settings.of(requests, 8192, CPU), noise)
    for i, request in enumerate(requests):
        one, one_logprob = pick(logits[i : i + 1], Settings.of([request], 8192, CPU), noise[i : i + 1])
        assert int(one[0]) == int(tokens[i])
        assert float(one_logprob[0]) == pytest.approx(float(logprobs[i]), abs=1e-4)


@given(seeds=st.lists(SEEDS, min_size=1, max_size=20))
def test_noise_depends_on_seed_and_position_alone(seeds: list[int]) -> None:
    together = uniforms(seeds, list(range(len(seeds))))
    alone = [uniforms([seed], [position])[0] for position, seed in enumerate(seeds)]
    assert together.tolist() == alone
    assert all(0 <= value < 1 for value in alone)


def test_noise_is_uniform_and_streams_of_neighbouring_seeds_are_unrelated() -> None:
    noise = np.stack([uniforms([seed] * 2000, range(2000)) for seed in range(40)])
    counts = np.histogram(noise, bins=50, range=(0, 1))[0]
    expected = noise.size / 50
    assert ((counts - expected) ** 2 / expected).sum() < 49 + 5 * math.sqrt(98)
    related = np.corrcoef(noise) - np.eye(40)
    assert abs(related).max() < 5 / math.sqrt(2000)
    assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 5 / math.sqrt(noise.size)


def capacity(tokens: int, most: int) -> Capacity:
    made = Capacity(CPU, tokens, 1)
    made.most = most
    return made


def queue(widths: list[int]) -> list[tuple[int, SampleRequest]]:
    return [(index, SampleRequest([3] * (width - 4), index, 4)) for index, width in enumerate(widths)]


@given(widths=st.lists(st.integers(5, 400), max_size=80), tokens=st.integers(50, 5000), most=st.integers(1, 16))
def test_waves_hold_every_request_once_and_never_more_than_memory_allows(
    widths: list[int], tokens: int, most: int
) -> None:
    found = list(waves(queue(widths), capacity(tokens, most)))
    assert sorted(index for wave, _, _ in found for index, _ in wave) == list(range(len(widths)))
    for wave, slots, width in found:
        assert 1 <= slots <= min(most, len(wave))
        assert slots == 1 or slots * width <= tokens
        assert all(len(request.tokens) + request.max_tokens <= width for _, request in wave)


def test_where_memory_is_no_limit_there_is_one_wave_in_the_callers_order() -> None:
    ((wave, slots, width),) = waves(queue([10, 30, 20] * 40), capacity(10_000, 4))
    assert (slots, width) == (4, 30)
    in_flight = [{index for index, _ in wave[at : at + 4]} for at in range(0, len(wave), 4)]
    assert in_flight == [set(range(at, at + 4)) for at in range(0, 120, 4)]


def test_one_long_prompt_does_not_narrow_the_batch_of_the_short_ones() -> None:
    found = list(waves(queue([20] * 20 + [1000]), capacity(1000, 16)))
    assert [(slots, width) for _, slots, width in found] == [(1, 1000), (16, 20)]
