"""`selfimprove sweep`: the gap against the cut of one score, of any scored samples, as a table, JSON and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from selfimprove.api.rules.methods import PARAMETER
from selfimprove.api.selecting import WeightingType
from selfimprove.cli import warn
from selfimprove.cli.measure import weighting_of
from selfimprove.cli.output import print_json
from selfimprove.cli.sampled import samples_at
from selfimprove.errors import UserError
from selfimprove.few_prompts import too_few
from selfimprove.judgement import NO_KEPT_UTILITY, NO_UTILITY, NONE_TO_GAIN
from selfimprove.plotting import band, check_plot, drawing
from selfimprove.report import percent, points
from selfimprove.samples_file import Samples
from selfimprove.summaries import document_of
from selfimprove.sweeps import Point
from selfimprove.sweeps import sweep as swept

_NAMES = {"filtered": "filtered", "gap": "gap", "relative_gap": "relativeGap", "keep_rate": "keepRate"}
_NAMES |= {"empty_filter": "emptyFilterRate"}


def sweep(
    path: Path,
    iteration: int | None,
    step: str | None,
    score: str | None,
    spec: str,
    plot: Path | None,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Print the figures at every cut. Raises `UserError` for options that do not fit the file."""
    kind, at = _cuts(spec)
    check_plot(plot)
    samples = samples_at(path, iteration, step)
    name = _score(samples, score)
    found = swept(samples, name, kind, at, seed=seed, resamples=resamples)
    known = bool(np.isfinite(samples.utility).any())
    if plot is not None:
        if not known:
            raise UserError(f"--plot: there is no gap to draw, since {NO_UTILITY}; leave it out")
        _draw(plot, name, kind, found)
    document = _document(samples, name, kind, found, known)
    if as_json:
        print_json(document)
    else:
        _print(samples, name, kind, found, known)
        for line in document["warnings"]:
            warn(line)


def _cuts(spec: str) -> tuple[WeightingType, list[float] | None]:
    """`Quantile`, or `Quantile:0.5,0.7` for cuts of one's own."""
    name, colon, numbers = spec.partition(":")
    kind = next((each for each in PARAMETER if each == name), None)
    if kind is None:
        raise UserError(f"--weighting: {spec} is no weighting; give Quantile, Threshold, TopK or Softmax")
    if not colon:
        return kind, None
    rules = [weighting_of(f"{kind}:{number}")[1] for number in numbers.split(",")]
    return kind, sorted({float(getattr(rule, PARAMETER[kind])) for rule in rules})


def _score(samples: Samples, wanted: str | None) -> str:
    there = ", ".join(samples.scores)
    if not there:
        raise UserError("--score: the samples have no scores, so there is nothing to cut by; give rows with scores")
    if wanted is None and len(samples.scores) > 1:
        raise UserError(f"--score: is not given, and the samples have {there}; give one of them")
    name = next(iter(samples.scores)) if wanted is None else wanted
    if name not in samples.scores:
        raise UserError(f"--score: {name} is in no row; there are {there}")
    return name


def _highest(found: Sequence[Point]) -> Point | None:
    having = [point for point in found if "gap" in point.figures]
    return max(having, key=lambda point: point.figures["gap"].value, default=None)


def _document(samples: Samples, score: str, kind: WeightingType, found: Sequence[Point], known: bool) -> dict[str, Any]:
    highest = _highest(found)
    points = [{PARAMETER[kind]: point.parameter, **_figures(point)} for point in found]
    return {
        "prompts": len(samples.ids),
        "samples": len(samples.prompt),
        "score": score,
        "nan": int(np.isnan(samples.scores[score]).sum()),
        "weighting": kind,
        "points": points,
        "highestGapAt": highest and highest.parameter,
        "reasons": _reasons(found) if known else dict.fromkeys(("filtered", "gap", "relativeGap"), NO_UTILITY),
        "warnings": too_few(points),
    }


def _reasons(found: Sequence[Point]) -> dict[str, str]:
    """Why a figure is null at some cut."""
    if any("gap" not in point.figures for point in found):
        return dict.fromkeys(("filtered", "gap", "relativeGap"), f"at some cuts {NO_KEPT_UTILITY}")
    return {} if all("relative_gap" in point.figures for point in found) else {"relativeGap": NONE_TO_GAIN}


def _figures(point: Point) -> dict[str, Any]:
    return {shown: document_of(point.figures.get(name)) for name, shown in _NAMES.items()}


def _print(samples: Samples, score: str, kind: WeightingType, found: Sequence[Point], known: bool) -> None:
    missing = int(np.isnan(samples.scores[score]).sum())
    print(
        f"{len(samples.ids):,} prompts, {len(samples.prompt):,} samples, {score} by {kind}, {missing:,} missing "
        "(percent, 95% intervals over prompts)\n"
    )
    heads = (PARAMETER[kind], "gap", "relative gap", "filtered", "kept", "empty")
    print(f"{heads[0]:>10}  {heads[1]:>22}  {heads[2]:>22}  {heads[3]:>19}  {heads[4]:>19}  {heads[5]:>6}")
    highest = _highest(found)
    for point in found:
        e = point.figures
        empty = e["empty_filter"].value
        print(
            f"{point.parameter:>10.4g}  {points(e.get('gap')):>22}  {points(e.get('relative_gap')):>22}  "
            f"{percent(e.get('filtered')):>19}  {percent(e['keep_rate']):>19}  {100 * empty:>6.1f}"
            f"{'  highest gap' if point is highest else ''}"
        )
    if not known:
        print(f"\nno gap: {NO_UTILITY}")
    elif highest is not None and len(found) > 1:
        print(f"\nThe highest of {len(found)} gaps flatters: measure it on other prompts before you rely on it.")


def _draw(path: Path, score: str, kind: WeightingType, found: Sequence[Point]) -> None:
    """The gap and the relative gap, each with its interval, in points."""
    with drawing(path, f"{score} by {kind}", PARAMETER[kind], "points, 95% interval over prompts") as axes:
        for name, label in (("gap", "gap"), ("relative_gap", "relative gap")):
            having = [(point.parameter, point.figures[name]) for point in found if name in point.figures]
            x = [parameter for parameter, _ in having]
            axes.plot(x, [100 * e.value for _, e in having], marker="o", markersize=3, label=label)
            axes.fill_between(x, *band(e for _, e in having), alpha=0.2)
        axes.axhline(0, color="black", linewidth=0.8)
        if kind in ("Softmax", "TopK"):
            axes.set_xscale("log")
        axes.legend()
