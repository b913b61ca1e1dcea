"""`selfimprove compare`: what the best model of one run has on that of another, on the held-out prompts they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from selfimprove.api.messages import show
from selfimprove.cli import warn
from selfimprove.cli.output import print_json
from selfimprove.cli.where import Where
from selfimprove.comparing import compare_runs
from selfimprove.kubectl import AS_CONFIGURED, PREFIX
from selfimprove.report import percent, points
from selfimprove.summaries import estimate_in


def compare(one: str, other: str, where: Where, resamples: int, seed: int | None, as_json: bool) -> None:
    """Print both runs' figures, the second less the first. Raises what finding a run and `compare_runs` raise."""
    mixed = one.startswith(PREFIX) != other.startswith(PREFIX)
    first, second = (_of(run, where, mixed).find(run) for run in (one, other))
    document = compare_runs(first, second, seed=seed, resamples=resamples)
    if as_json:
        print_json(document)
    else:
        print("\n".join(_lines(document)))
        for line in document["warnings"]:
            warn(line)


def _of(run: str, where: Where, mixed: bool) -> Where:
    """Of a run of a cluster and one that is not each has options that mean nothing to the other."""
    if not mixed:
        return where
    return replace(where, storage=None) if run.startswith(PREFIX) else replace(where, cluster=AS_CONFIGURED)


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    for label, run in zip("AB", document["runs"], strict=True):
        yield f"{label}  {run['name']}, its best model M_{run['model']}, at {run['uri']}"
    left, right = document["notShared"]
    others = f"; {left:,} only in A, {right:,} only in B" if left or right else ""
    yield f"{document['sharedPrompts']:,} held-out prompts are shared{others}"
    yield ""
    yield f"{'(percent, points)':<18}{'A':>19}  {'B':>19}  {'B - A, paired':>22}"
    figures = document["figures"]
    rows = {
        "accuracy": figures["accuracy"],
        "strict accuracy": figures["strictAccuracy"],
        **{f"pass@{k}": figure for k, figure in figures["passAtK"].items()},
        "gap": figures["gap"],
    }
    for name, figure in rows.items():
        shown = points if name == "gap" else percent
        a, b = (shown(estimate_in(value)) for value in figure["values"])
        yield f"{name:<18}{a:>19}  {b:>19}  {points(estimate_in(figure['change'])):>22}"
    for name, reason in document["reasons"].items():
        yield f"no change of {name}: {reason}"
    yield "Each was chosen as its run's best on these prompts, which flatters the run with more models to choose from."
    yield ""
    yield from _settings(document["settings"])


def _settings(settings: list[Mapping[str, Any]]) -> Iterator[str]:
    if not settings:
        yield "No setting differs"
        return
    yield "Settings that differ"
    for each in settings:
        a, b = ("not set" if value is None else show(value) for value in each["values"])
        yield f"  {each['field']}: {a} in A, {b} in B"
