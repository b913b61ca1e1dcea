"""`selfimprove scaling`: relative gap against pre-training FLOPs, a line for each family of models."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from pathlib import Path
from typing import Any

import numpy as np

from selfimprove.cli.output import print_json
from selfimprove.plotting import check_plot, drawing, error_bars
from selfimprove.report import points
from selfimprove.scaling import Family, families_of, read_table
from selfimprove.summaries import document_of


def scaling(path: Path, plot: Path | None, as_json: bool) -> None:
    """Print every model and every family's slope. Raises `UserError` for a table that can't be read."""
    check_plot(plot)
    families = families_of(read_table(path))
    if plot is not None:
        _draw(plot, families)
    if as_json:
        print_json({"families": [_document(family) for family in families]})
    else:
        _print(families)


def _document(family: Family) -> dict[str, Any]:
    line = family.line
    return {
        "family": family.name,
        "models": [
            {"model": model.name, "flops": model.flops, "relativeGap": document_of(model.relative_gap)}
            for model in family.models
        ],
        "slopePerDecade": document_of(line.slope) if line else None,
        "intercept": line.intercept if line else None,
        "reason": family.reason,
    }


def _print(families: Sequence[Family]) -> None:
    models = [model for family in families for model in family.models]
    wide = max(len("model"), *(len(model.name) for model in models))
    group = max(len("family"), *(len(family.name) for family in families))
    print(f"{'family':<{group}}  {'model':<{wide}}  {'FLOPs':>9}  relative gap (points)")
    for model in models:
        print(f"{model.family:<{group}}  {model.name:<{wide}}  {model.flops:>9.2e}  {points(model.relative_gap)}")
    print("\nPoints of relative gap for ten times the FLOPs (least squares in log10 FLOPs, 95% t interval)")
    for family in families:
        slope = points(family.line.slope) if family.line else "-"
        reason = f"  ({family.reason})" if family.reason else ""
        models_text = "1 model" if len(family.models) == 1 else f"{len(family.models)} models"
        print(f"{family.name:<{group}}  {slope}, {models_text}{reason}")


def _draw(path: Path, families: Sequence[Family]) -> None:
    title, x, y = "Relative gap and pre-training compute", "pre-training FLOPs", "relative gap, points"
    with drawing(path, title, x, y) as axes:
        axes.set_xscale("log")
        axes.axhline(0, color="black", linewidth=0.8)
        for number, family in enumerate(families):
            colour = f"C{number}"
            flops = [model.flops for model in family.models]
            gaps = [model.relative_gap for model in family.models]
            values, bars = [100 * gap.value for gap in gaps], error_bars(gaps)
            axes.errorbar(flops, values, yerr=bars, fmt="o", color=colour, capsize=3, label=family.name)
            if family.line is None:
                continue
            at = np.linspace(log10(flops[0]), log10(flops[-1]), 100)
            height, half = 100 * family.line.at(at), family.line.half_width(at)
            axes.plot(10**at, height, color=colour)
            if half is not None:
                axes.fill_between(10**at, height - 100 * half, height + 100 * half, color=colour, alpha=0.15)
        axes.legend()
