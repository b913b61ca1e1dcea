"""What is valid, and still not what most people want: said in one line, and in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator

from selfimprove.api.probing import most_draws_of
from selfimprove.api.problem import Problem
from selfimprove.api.resolve import HELD_OUT
from selfimprove.api.rules.acceptance import is_zero_or_one
from selfimprove.api.rules.base import heard
from selfimprove.api.rules.gym import set_sizes
from selfimprove.api.rules.methods import common_weighting, methods_of
from selfimprove.api.spec import Spec


def cautions(spec: Spec, held_out: int | None = None, whole: bool = True) -> list[Problem]:
    """What to be warned of before anything is spent.

    `held_out`: how many held-out prompts there are, where they have been counted; else what the spec alone tells.
    `whole`: nothing is wrong with any field by itself; else only that is said which hangs on none of those.
    """
    found = (
        _single_held_out(spec, held_out),
        _no_turn_paid(spec),
        _nothing_to_probe(spec),
        _own_weighting_unread(spec),
        _wrong_at_full_weight(spec),
    )
    return [caution for each in found for caution in heard(each, whole)]


def _single_held_out(spec: Spec, held_out: int | None) -> Iterator[Problem]:
    count = _held_out(spec) if held_out is None else held_out
    if count != 1:
        return
    name, value = _cause(spec)
    message = (
        f"{value} leaves one held-out prompt, of which no figure can have an interval, nor any model be called "
        "regressed; give more, some hundreds where there are as many"
    )
    yield Problem(f"spec.dataset.heldOut.{name}", message)


def _no_turn_paid(spec: Spec) -> Iterator[Problem]:
    """Tokens are counted before they are spent, every sample at full length: less than one turn pays for nothing."""
    resampling = spec.resampling
    asks = resampling.strategy == "Interactive"  # a critique costs as much as a sample
    probed = most_draws_of(resampling)  # kept back for who is won
    turn = (resampling.samples_per_round + asks + probed) * spec.generation.max_tokens
    if resampling.strategy == "None" or resampling.max_tokens is None or resampling.max_tokens >= turn:
        return
    cost = "samplesPerRound times generation.maxTokens"
    cost += (", and a critique" if asks else "") + (", and the leak probe" if probed else "")
    yield Problem(
        "spec.resampling.maxTokens",
        f"{resampling.max_tokens} does not pay for one prompt's turn, which may take {turn} ({cost}), so that nothing "
        "is sampled; give more",
    )


def _nothing_to_probe(spec: Spec) -> Iterator[Problem]:
    """The leak probe asks again whom guidance has won."""
    if spec.resampling.leak_probe and spec.resampling.strategy == "None":
        yield Problem(
            "spec.resampling.leakProbe",
            "true has no effect: strategy None guides nobody, whose answers could be probed; give a strategy, or "
            "remove it",
        )


def _own_weighting_unread(spec: Spec) -> Iterator[Problem]:
    """Under Mean and Weighted the ranks are weighed together: a method's own threshold accepts, and filters nothing.

    No caution where resampling goes by what is accepted.
    """
    if (common := common_weighting(spec)) is None:
        return
    combine = spec.verification.combine if spec.verification else ""
    for field, method in methods_of(spec):
        own = method.weighting
        if own is None or (own.type == "Threshold" and spec.resampling.strategy != "None"):
            continue
        reads = f"under combine {combine} samples are weighed by verification.weighting ({common.type}) alone"
        effect = "only says what counts as accepted" if own.type == "Threshold" else "has no effect"
        yield Problem(f"spec.{field}.weighting", f"{own.type} {effect}: {reads}; remove it, or give combine All")


def _wrong_at_full_weight(spec: Spec) -> Iterator[Problem]:
    """A softmax weighs against the prompt's highest score, which is 0 where every sample is wrong.

    No caution where another method's threshold refuses those all the same.
    """
    methods = methods_of(spec)
    if spec.verification and spec.verification.combine != "All":
        yield from _wrong_ranks_at_full_weight(spec)
        return
    if any(method.weighting and method.weighting.type == "Threshold" for _, method in methods):
        return
    for field, method in methods:
        if is_zero_or_one(method) and method.weighting and method.weighting.type == "Softmax":
            yield Problem(
                f"spec.{field}.weighting.type",
                f"Softmax weighs {method.type} scores, which are 0 or 1, against the prompt's highest: where all its "
                "samples are wrong, all train at full weight; give {type: Threshold, threshold: 1}",
            )


def _wrong_ranks_at_full_weight(spec: Spec) -> Iterator[Problem]:
    """Samples that all are wrong tie, and each has the prompt's highest rank. One finer score tells them apart."""
    common, methods = common_weighting(spec), [method for _, method in methods_of(spec)]
    if common and common.type == "Softmax" and all(map(is_zero_or_one, methods)):
        yield Problem(
            "spec.verification.weighting.type",
            f"Softmax weighs ranks of {' and '.join(method.type for method in methods)} scores, which are 0 or 1, "
            "against the prompt's highest: where all its samples are wrong, all train at full weight; give combine "
            "All, and each method {type: Threshold, threshold: 1}",
        )


def _held_out(spec: Spec) -> int | None:
    limit = (spec.dataset.held_out or HELD_OUT).limit
    return 1 if limit == 1 else set_sizes(spec.dataset).get("heldOut")


def _cause(spec: Spec) -> tuple[str, object]:
    """The field of heldOut that leaves so few, and its value."""
    held_out = spec.dataset.held_out or HELD_OUT
    if held_out.limit == 1:
        return "limit", 1
    return ("uri", held_out.uri) if held_out.uri is not None else ("fraction", held_out.fraction)
