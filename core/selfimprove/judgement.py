"""What a file of scored samples says of its generator and its verifiers, without a run (Mind the Gap, section 2).

The figures and their definitions are those of the loop; what can't be told stands as None, with the reason beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from selfimprove import weighting
from selfimprove.api.selecting import Weighting
from selfimprove.errors import UserError
from selfimprove.few_prompts import too_few
from selfimprove.measures import columns, estimates, pass_at_k, ranges_of
from selfimprove.measures.perprompt import counts_of_known
from selfimprove.measures.table import Floats, Table
from selfimprove.measures.verifiers import (
    auroc,
    brier,
    calibration_error,
    mean_mass,
    not_probabilities,
    pearson,
    spearman,
)
from selfimprove.samples_file import Samples
from selfimprove.summaries import Estimate, document_of

NO_UTILITY = "no sample has a utility"
NO_WEIGHTING = "no weighting is given"
NO_KEPT_UTILITY = "no sample that is kept has a utility"
NONE_TO_GAIN = "every sample of every prompt with a gap is right"
NO_MASS = "no sample has the probability mass that it read on labels"
NO_INTERVAL = "chance adds to the error of bins, and a bootstrap would add it again"


@dataclass(frozen=True)
class Question:
    """How scores become weights, and what is asked of the samples."""

    weightings: Mapping[str, Weighting] = field(default_factory=dict)
    """Score -> its weighting; with `combine` Mean the one under the empty name. Empty: nothing filters."""
    combine: str = "All"
    scores: tuple[str, ...] = ()
    ks: tuple[int, ...] | None = None
    resamples: int = 2000
    seed: int = 0


def judge(samples: Samples, question: Question) -> dict[str, Any]:
    """Every figure as a JSON value. Raises `UserError` for a weighting that does not fit a score."""
    _require_shares(samples, question)
    return _judged(samples, question)


def _judged(samples: Samples, question: Question) -> dict[str, Any]:
    weight = weights_of(samples, question)
    table = Table(samples.ids, samples.prompt, samples.utility, weight=weight)
    found = _figures(table, question.ks)
    measured = estimates(found, seed=question.seed, resamples=question.resamples, ranges=ranges_of(found))
    reasons = _reasons(table, measured)
    document = {
        "prompts": len(samples.ids),
        "samples": len(samples.prompt),
        "utility": document_of(measured.get("accuracy")),
        "filtered": document_of(measured.get("filtered")),
        "gap": document_of(measured.get("gap")),
        "relativeGap": _with_skipped(measured.get("relative_gap"), found),
        "keepRate": document_of(measured.get("keep_rate")),
        "emptyFilterRate": document_of(measured.get("empty_filter")),
        "passAtK": _pass_at_k(table, measured, question.ks, reasons),
        "coverage": document_of(measured.get("coverage")),
        "acceptedHistogram": _histogram(table, reasons),
        "scores": {name: _score(samples, name, question, reasons) for name in question.scores},
        "correlations": _correlations(samples, question, reasons),
        "reasons": reasons,
    }
    return {**document, "warnings": too_few(document)}


def by_level(samples: Samples, question: Question) -> dict[str, dict[str, Any]]:
    """The figures of each difficulty level by itself; prompts without one are left out."""
    levels = np.array([level or "" for level in samples.levels])
    return {
        str(level): _judged(part_of(samples, np.flatnonzero(levels == level)), question)
        for level in sorted(set(levels) - {""}, key=_natural)
    }


def part_of(samples: Samples, prompts: Any) -> Samples:
    """The samples of some prompts ([m] places, ascending)."""
    place = np.full(len(samples.ids), -1)
    place[prompts] = np.arange(len(prompts))
    kept = place[samples.prompt] >= 0
    return Samples(
        ids=tuple(samples.ids[i] for i in prompts),
        prompt=place[samples.prompt[kept]],
        utility=samples.utility[kept],
        scores={name: values[kept] for name, values in samples.scores.items()},
        levels=tuple(samples.levels[i] for i in prompts),
        mass={name: values[kept] for name, values in samples.mass.items()},
    )


def weights_of(samples: Samples, question: Question) -> Floats | None:
    """[n] The weight of each sample; None where nothing filters."""
    if not question.weightings:
        return None
    prompts = len(samples.ids)
    if question.combine == "Mean":
        combined = weighting.combine_ranks([samples.scores[n] for n in question.scores], samples.prompt, prompts)
        return weighting.weights(question.weightings[""], combined, samples.prompt, prompts)
    rules = question.weightings.items()
    filters = [weighting.weights(rule, samples.scores[name], samples.prompt, prompts) for name, rule in rules]
    return weighting.combine_all(filters)


def _require_shares(samples: Samples, question: Question) -> None:
    mean = question.combine == "Mean"
    for name, rule in question.weightings.items():
        cut = question.scores if mean else (name,)
        several = len(question.weightings) > 1
        remedy = f"it one of its own, --weighting {name}=Threshold:{{:g}}" if several else "Threshold:{:g}"
        if rule.type == "Quantile" and (
            wrong := weighting.no_shares({each: samples.scores[each] for each in cut}, remedy)
        ):
            raise UserError(f"--weighting: {wrong}{', without --combine' if mean else ''}")


def _figures(table: Table, ks: Sequence[int] | None) -> dict[str, Floats]:
    """[P] Every figure of each prompt, pass@k at the `ks` that are asked for."""
    found = columns(table)
    if "gap" in found:
        found["filtered"] = found["accuracy"] + found["gap"]
    if ks is not None and "accuracy" in found:
        found = {name: values for name, values in found.items() if not name.startswith("pass@")}
        found |= {f"pass@{k}": values for k, values in pass_at_k(table, ks).items()}
    return found


def _reasons(table: Table, measured: Mapping[str, Estimate]) -> dict[str, str]:
    """Why a figure is null, by its name."""
    names = {"utility": "accuracy", "filtered": "filtered", "gap": "gap", "relativeGap": "relative_gap"}
    names |= {"keepRate": "keep_rate", "emptyFilterRate": "empty_filter", "coverage": "coverage"}
    unknown = not np.isfinite(table.utility).any()
    found = {}
    for name, column in names.items():
        if column in measured:
            continue
        if unknown and name not in ("keepRate", "emptyFilterRate"):
            found[name] = NO_UTILITY
        elif table.weight is None:
            found[name] = NO_WEIGHTING
        elif "gap" not in measured:
            found[name] = NO_KEPT_UTILITY
        else:
            found[name] = NONE_TO_GAIN
    return found


def _with_skipped(estimate: Estimate | None, found: Mapping[str, Floats]) -> dict[str, Any] | None:
    """The mean of per-prompt ratios; prompts that are all right have none, and are counted."""
    shown = document_of(estimate)
    return shown and {**shown, "skipped": int((found["accuracy"] == 1).sum())}


def _pass_at_k(
    table: Table, measured: Mapping[str, Estimate], ks: Sequence[int] | None, reasons: dict[str, str]
) -> dict[str, Any] | None:
    if not np.isfinite(table.utility).any():
        reasons["passAtK"] = NO_UTILITY
        return None
    named = {name.removeprefix("pass@"): each for name, each in measured.items() if name.startswith("pass@")}
    shown = {k: document_of(each) for k, each in named.items()}
    most = int(counts_of_known(table, table.utility)[0].max())
    for k in ks or ():
        if str(k) not in shown:
            shown[str(k)] = None
            reasons[f"passAtK.{k}"] = f"no prompt has {k} samples with a utility; the most is {most}"
    return dict(sorted(shown.items(), key=lambda item: int(item[0])))


def _histogram(table: Table, reasons: dict[str, str]) -> list[int] | None:
    """How many prompts have 0, 1, 2, ... right samples; one of which nothing is known counts nowhere."""
    if not np.isfinite(table.utility).any():
        reasons["acceptedHistogram"] = NO_UTILITY
        return None
    known, right = counts_of_known(table, table.utility)
    found: list[int] = np.bincount(right[known > 0]).tolist()
    return found


def _score(samples: Samples, name: str, question: Question, reasons: dict[str, str]) -> dict[str, Any]:
    """How well a score tells right from wrong, and, of a probability, how well it is calibrated."""
    scores, known = samples.scores[name], np.isfinite(samples.utility).any()
    shape = (samples.utility, samples.prompt, len(samples.ids))
    shown: dict[str, Any] = {"nan": weighting.missing(scores), "auroc": None, "ece": None, "brier": None, "mass": None}
    wrong = not_probabilities(scores) if known else NO_UTILITY
    asked = {"auroc": auroc(scores, *shape)} if known else {}
    if name in samples.mass:
        asked["mass"] = mean_mass(samples.mass[name], *shape[1:])
    if wrong is None:
        asked["brier"] = brier(scores, *shape)
        shown["ece"] = document_of(calibration_error(scores, samples.utility, samples.prompt))
        wrong = None if shown["ece"] else "no sample has both a score and a utility"
    if wrong is None:
        reasons[f"scores.{name}.ece.interval"] = NO_INTERVAL
    else:
        reasons[f"scores.{name}.ece"] = reasons[f"scores.{name}.brier"] = wrong
    measured = estimates(asked, seed=question.seed, resamples=question.resamples)
    shown |= {column: document_of(each) for column, each in measured.items()}
    if shown["auroc"] is None:
        reasons[f"scores.{name}.auroc"] = (
            "no prompt has a right and a wrong sample with a score" if known else NO_UTILITY
        )
    if shown["mass"] is None:
        reasons[f"scores.{name}.mass"] = NO_MASS
    return shown


def _correlations(samples: Samples, question: Question, reasons: dict[str, str]) -> list[dict[str, Any]]:
    """Between each two scores, within a prompt and averaged over prompts."""
    found = []
    for one, other in combinations(question.scores, 2):
        given = (samples.scores[one], samples.scores[other], samples.prompt, len(samples.ids))
        asked = {"pearson": pearson(*given), "spearman": spearman(*given)}
        ranges = dict.fromkeys(asked, (-1.0, 1.0))
        measured = estimates(asked, seed=question.seed, resamples=question.resamples, ranges=ranges)
        found.append({"scores": [one, other], **{name: document_of(measured.get(name)) for name in asked}})
        if len(measured) < len(asked):
            reasons[f"correlations.{one}~{other}"] = "in no prompt do both scores vary"
    return found


def _natural(level: str) -> tuple[float, str]:
    """Levels that are numbers in the order of numbers."""
    try:
        return float(level), ""
    except ValueError:
        return float("inf"), level
