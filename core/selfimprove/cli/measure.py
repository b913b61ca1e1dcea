"""`selfimprove measure`: gap, coverage, pass@k and what verifiers are worth, of any scored samples, without a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from selfimprove.api.rules.methods import PARAMETER
from selfimprove.api.selecting import Weighting
from selfimprove.cli import warn
from selfimprove.cli.output import print_json
from selfimprove.cli.sampled import samples_at
from selfimprove.errors import UserError
from selfimprove.few_prompts import too_few
from selfimprove.judgement import Question, by_level, judge
from selfimprove.report import percent, points
from selfimprove.samples_file import Samples
from selfimprove.summaries import estimate_in

SHOWN = (
    ("utility", percent),
    ("filtered", percent),
    ("gap", points),
    ("relativeGap", points),
    ("keepRate", percent),
    ("emptyFilterRate", percent),
    ("coverage", percent),
)
"""The figures of the first table, in percent."""
WORTH = ("auroc", "ece", "brier")
"""What is told of each score."""


def measure(
    path: Path,
    iteration: int | None,
    step: str | None,
    scores: Sequence[str],
    specs: Sequence[str],
    combine: str,
    ks: str | None,
    by: str | None,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Print the figures. Raises `UserError` for options that do not fit the file."""
    if by not in (None, "level"):
        raise UserError(f"--by: {by} is nothing that samples are told apart by; give level")
    counted = _ks(ks)
    samples = samples_at(path, iteration, step)
    chosen = _chosen(samples, scores)
    question = Question(_weightings(specs, chosen, combine), combine, chosen, counted, resamples, seed)
    document = judge(samples, question)
    if by is not None:
        document["byLevel"] = by_level(samples, question)
        if not document["byLevel"]:
            raise UserError(f"--by: level, and no row of {path} has one; leave --by out")
    if as_json:
        print_json(document)
    else:
        _print(document)
        _warn(document)


def weighting_of(spec: str) -> tuple[str, Weighting]:
    """`[NAME=]TYPE:NUMBER` -> name (empty where none is given) and weighting. Raises `UserError`."""
    name, _, rule = spec.rpartition("=")
    kind, _, number = rule.partition(":")
    if kind not in PARAMETER:
        raise UserError(f"--weighting: {spec} has no type; give Threshold:0.8, Quantile:0.7, Softmax:0.1 or TopK:2")
    parameter = PARAMETER[kind]
    try:
        value = int(number) if kind == "TopK" else _finite(number)
        return name, Weighting.model_validate({"type": kind, parameter: value})
    except ValueError as error:
        limits = {"Threshold": "a finite number", "Quantile": "a number from 0 to below 1"}
        limits |= {"Softmax": "a finite number above 0"}
        wanted = limits.get(kind, "a whole number from 1")
        raise UserError(f"--weighting: {spec} has {parameter} {number or 'missing'}; give {wanted}") from error


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


def _weightings(specs: Sequence[str], chosen: tuple[str, ...], combine: str) -> dict[str, Weighting]:
    """Each score's own weighting, or under Mean the one of the combined ranks."""
    if combine not in ("All", "Mean"):
        raise UserError(f"--combine: {combine} is neither All nor Mean; give one of them")
    if specs and not chosen:
        raise UserError(f"--weighting: {specs[0]} weighs scores, and the samples have none; leave it out")
    found = dict(map(weighting_of, specs))
    if len(found) < len(specs):
        raise UserError(f"--weighting: two are given for {'one score' if any(found) else 'all scores'}; keep one")
    named = [name for name in found if name]
    if unknown := [name for name in named if name not in chosen]:
        raise UserError(f"--weighting: {unknown[0]} is none of the scores; there are {', '.join(chosen)}")
    if combine == "Mean":
        if named or len(found) != 1:
            raise UserError("--combine: Mean weighs the mean of ranks; give one --weighting, without a name")
        return found
    for_all = found.pop("", None)
    return found if for_all is None else {**dict.fromkeys(chosen, for_all), **found}


def _chosen(samples: Samples, wanted: Sequence[str]) -> tuple[str, ...]:
    for name in wanted:
        if name not in samples.scores:
            there = ", ".join(samples.scores) or "no scores"
            raise UserError(f"--score: {name} is in no row; there are {there}")
    return tuple(dict.fromkeys(wanted)) or tuple(samples.scores)


def _ks(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        found = tuple(sorted({int(each) for each in text.split(",")}))
    except ValueError:
        found = ()
    if not found or found[0] < 1:
        raise UserError(f"--k: {text} is no list of whole numbers from 1; give 1,2,4")
    return found


def _warn(document: Mapping[str, Any]) -> None:
    """One line of the fewest prompts, of a level or of all."""
    for line in too_few([document, *document.get("byLevel", {}).values()]):
        warn(line)


def _print(document: Mapping[str, Any]) -> None:
    print(f"{document['prompts']:,} prompts, {document['samples']:,} samples (percent, 95% intervals over prompts)\n")
    _print_figures(document)
    for level, part in document.get("byLevel", {}).items():
        print(f"\nlevel {level}: {part['prompts']:,} prompts, {part['samples']:,} samples")
        _print_figures(part)


def _print_figures(document: Mapping[str, Any]) -> None:
    reasons = document["reasons"]
    rows = [(name, document[name], shown(estimate_in(document[name]))) for name, shown in SHOWN]
    rows += [(f"pass@{k}", e, percent(estimate_in(e))) for k, e in (document["passAtK"] or {}).items()]
    for name, found, shown in rows:
        key = f"passAtK.{name.removeprefix('pass@')}" if name.startswith("pass@") else name
        print(f"{name:<18}{shown if found else f'-  ({reasons[key]})'}")
    for name, score in document["scores"].items():
        figures = [f"{figure} {percent(estimate_in(score[figure]))}" for figure in WORTH]
        figures += [f"label mass {percent(estimate_in(score['mass']))}"] if score["mass"] else []
        why = dict.fromkeys(reasons[key] for figure in WORTH if (key := f"scores.{name}.{figure}") in reasons)
        print(f"{name:<17} {', '.join(figures)}, {score['nan']:,} missing{_because(why)}")
    for pair in document["correlations"]:
        figures = [f"{figure} {points(estimate_in(pair[figure]))}" for figure in ("pearson", "spearman")]
        key = f"correlations.{'~'.join(pair['scores'])}"
        print(
            f"{' ~ '.join(pair['scores']):<17} {', '.join(figures)}{_because([reasons[key]] if key in reasons else [])}"
        )


def _because(reasons: Iterable[str]) -> str:
    """Why some figures of a line are missing; nothing where none are."""
    said = "; ".join(reasons)
    return f"  ({said})" if said else ""
