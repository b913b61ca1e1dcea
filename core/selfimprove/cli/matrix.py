"""`selfimprove matrix`: every generator's samples under every verifier's scores, as a table, JSON and a heat map."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selfimprove.cli import say, warn
from selfimprove.cli.output import kept_for_the_result, print_json
from selfimprove.cli.signals import terminable
from selfimprove.errors import UserError
from selfimprove.few_prompts import too_few
from selfimprove.matrix import Cells, Place, cells, fill
from selfimprove.matrix_spec import MatrixSpec, Verifier, load_matrix, weighting_of
from selfimprove.plotting import check_plot, heat_map
from selfimprove.report import points, short_percent
from selfimprove.store.disk import replace
from selfimprove.summaries import document_of
from selfimprove.worker_process import require_workers

_SHOWN = {"gap": "gap", "relative_gap": "relativeGap", "filtered": "filtered", "keep_rate": "keepRate"}
_SHOWN |= {"empty_filter": "emptyFilterRate", "mass": "mass", "unscored": "unscored"}


def matrix(path: Path, output: Path | None, storage: str, resamples: int, as_json: bool) -> None:
    """Fill the matrix and print it. Raises `UserError` for a SPEC that is wrong."""
    spec = load_matrix(path)
    if "://" in storage:
        raise UserError(f"--storage: {storage} is no folder of this machine; give one")
    place = Place(storage, output or Path(storage) / f"{spec.name}-matrix")
    require_workers()
    with kept_for_the_result(), terminable("what was drawn and scored is kept"):
        fill(spec, place, say)
    found = cells(spec, place, resamples)
    document = _document(spec, found)
    written = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    replace(place.output / "matrix.json", lambda file: file.write(written))
    _draw(place.output / "matrix.png", spec, found)
    if as_json:
        print_json(document)
    else:
        _print(spec, found)
        for line in document["warnings"]:
            warn(line)
        say(f"\n{place.output}: matrix.json, matrix.png, and NAME.jsonl of each generator for `selfimprove measure`")


def _document(spec: MatrixSpec, found: Cells) -> dict[str, Any]:
    shown = {
        generator: {
            verifier: {name: document_of(figures.get(figure)) for figure, name in _SHOWN.items()}
            for verifier, figures in row.items()
        }
        for generator, row in found.items()
    }
    return {
        "name": spec.name,
        "generators": [generator.to_json() for generator in spec.generators],
        "verifiers": [_verifier(each) for each in spec.verifiers],
        "cells": shown,
        "warnings": [*_unscored(found), *too_few(shown)],
    }


def _unscored(found: Cells) -> Iterator[str]:
    for generator, row in found.items():
        for verifier, figures in row.items():
            if share := figures["unscored"].value:
                yield f"{generator} under {verifier}: {100 * share:.1f}% of the samples have no score, and none is kept"


def _verifier(verifier: Verifier) -> dict[str, Any]:
    weighting = weighting_of(verifier).to_json()
    return {"name": verifier.name, "method": verifier.method.type, "model": verifier.model, "weighting": weighting}


def _print(spec: MatrixSpec, found: Cells) -> None:
    """One line a cell: intervals of several columns would not fit beside one another."""
    wide = max(len(name) for name in ("generator", *found))
    column = max(len(name) for name in ("verifier", *(verifier.name for verifier in spec.verifiers)))
    print(f"{spec.name}: points, 95% intervals over prompts\n")
    print(
        f"{'generator':<{wide}}  {'verifier':<{column}}  {'gap':>22}  {'relative gap':>22}  {'kept':>6}  {'empty':>6}"
    )
    for generator, row in found.items():
        for verifier, figures in row.items():
            shares = [f"{short_percent(figures.get(name)):>6}" for name in ("keep_rate", "empty_filter")]
            gaps = [f"{points(figures.get(name)):>22}" for name in ("gap", "relative_gap")]
            print(f"{generator:<{wide}}  {verifier:<{column}}  {'  '.join([*gaps, *shares])}")


def _draw(path: Path, spec: MatrixSpec, found: Cells) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        say(
            f"{path} is not drawn: matplotlib is not installed; pip install 'selfimprove[plots]', then the same command"
        )
        return
    check_plot(path)
    columns = [verifier.name for verifier in spec.verifiers]
    values = [[_points(row, column) for column in columns] for row in found.values()]
    heat_map(path, f"{spec.name}: relative gap, points", list(found), columns, values)


def _points(row: Any, column: str) -> float | None:
    found = row[column].get("relative_gap")
    return None if found is None else 100 * found.value
