"""Relative gap against pre-training compute (Mind the Gap, section 4): models as rows, a line for each family.

The paper finds that with a suitable verifier the relative gap grows with pre-training FLOPs and conjectures a line in
their logarithm, its slope different from family to family; the absolute gap does not scale.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log10
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from selfimprove.errors import UserError
from selfimprove.measures.line import Line, fit_line
from selfimprove.summaries import Estimate
from selfimprove.text_files import open_text

FIELDS = ("model", "family", "flops", "parameters", "tokens", "relativeGap", "low", "high")
_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_NUMBER = re.compile(r"([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?) *([KMBT]?)")


@dataclass(frozen=True)
class Model:
    """One generator of the table."""

    name: str
    family: str
    flops: float
    """Of pre-training: as given, or 6 x parameters x tokens."""
    relative_gap: Estimate
    """A share: 0.2 is 20 points."""


@dataclass(frozen=True)
class Family:
    """The models of a family, by compute, and the line through them."""

    name: str
    models: tuple[Model, ...]
    line: Line | None
    """Over log10 of FLOPs."""
    reason: str | None
    """Why there is no line, or no interval of its slope."""


def families_of(models: Sequence[Model]) -> list[Family]:
    """Each family with its line, in the order of the table."""
    return [_family(name, [m for m in models if m.family == name]) for name in dict.fromkeys(m.family for m in models)]


def read_table(path: Path) -> list[Model]:
    """The models of a CSV or JSON-lines table. Raises `UserError` naming the file, the row, the field and the remedy.

    A row has `model`, `family` (the table's only one where it is left out), `relativeGap` (a share, or an estimate as
    `measure --json` gives it; `low` and `high` beside it), and `flops`, or `parameters` and `tokens` (as 7B and 4T).
    """
    models = [_model(path, number, row) for number, row in enumerate(_rows(path), 1)]
    if not models:
        raise UserError(f"{path}: holds no models; give one a row, with {', '.join(FIELDS[:-2])}")
    seen: set[tuple[str, str]] = set()
    for number, model in enumerate(models, 1):
        if (model.family, model.name) in seen:
            _refuse(path, number, f"has model {model.name} a second time; give one row a model")
        seen.add((model.family, model.name))
    return models


def _family(name: str, models: Sequence[Model]) -> Family:
    ordered = tuple(sorted(models, key=lambda model: model.flops))
    x = np.array([log10(model.flops) for model in ordered])
    line = fit_line(x, np.array([model.relative_gap.value for model in ordered]))
    reason = None
    if line is None:
        reason = "one model draws no line" if len(ordered) == 1 else "all models have the same FLOPs"
    elif line.slope.low is None:
        reason = "two models leave no interval"
    return Family(name, ordered, line, reason)


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    name = path.name.lower().removesuffix(".gz")
    try:
        with open_text(path) as file:
            lines = (line for line in file if line.strip() and not line.startswith("#"))
            if name.endswith(".csv"):
                yield from (_stripped(row) for row in csv.DictReader(lines))
            elif name.endswith((".jsonl", ".ndjson", ".json")):
                yield from (_object(path, number, line) for number, line in enumerate(lines, 1))
            else:
                raise UserError(f"{path}: is no table; give .csv or .jsonl")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; give a table of models as .csv or .jsonl") from error
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{path}: can't be read ({reason}); give a sound file") from error


def _stripped(row: Mapping[str | None, Any]) -> dict[str, Any]:
    """A row of CSV without the spaces around names and values; what is beyond the last column is left out."""
    return {name.strip(): value and value.strip() for name, value in row.items() if name is not None}


def _object(path: Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", None) or type(error).__name__
        raise UserError(f"{path}: row {number} is not JSON ({reason}); give one object a line") from error
    if not isinstance(found, dict):
        _refuse(path, number, f"is a {type(found).__name__}; give one object a row")
    return found


def _model(path: Path, number: int, row: Mapping[str, Any]) -> Model:
    if not row.get("model"):
        named = "" if "model" in row else f" among {', '.join(row)}"
        _refuse(path, number, f"has no model{named}; give its name as `model`")
    return Model(
        name=str(row["model"]),
        family=str(row.get("family") or "all"),
        flops=_flops(path, number, row),
        relative_gap=_gap(path, number, row),
    )


def _flops(path: Path, number: int, row: Mapping[str, Any]) -> float:
    """As given, or 6ND: two for the forward pass and four for the backward one, a parameter and token."""
    if _given(row, "flops"):
        return _positive(path, number, row, "flops")
    if not (_given(row, "parameters") and _given(row, "tokens")):
        _refuse(path, number, "has neither flops nor both parameters and tokens; give the one or the two")
    return 6 * _positive(path, number, row, "parameters") * _positive(path, number, row, "tokens")


def _positive(path: Path, number: int, row: Mapping[str, Any], field: str) -> float:
    text = str(row[field]).strip()
    found = _NUMBER.fullmatch(text)
    value = float(found[1]) * _UNITS[found[2]] if found and not isinstance(row[field], bool) else 0.0
    if not value > 0 or not isfinite(value):
        _refuse(path, number, f"has {field} {text}; give a number above 0, as 1.5e9 or 1.5B")
    return value


def _gap(path: Path, number: int, row: Mapping[str, Any]) -> Estimate:
    found = row.get("relativeGap")
    fields = found if isinstance(found, dict) else {"value": found, "low": row.get("low"), "high": row.get("high")}
    if fields.get("value") in (None, ""):
        _refuse(path, number, "has no relativeGap; give a share, as 0.2 for 20 points")
    value, low, high = (
        _share(path, number, field, fields.get(name))
        for name, field in (("value", "relativeGap"), ("low", "low"), ("high", "high"))
    )
    assert value is not None
    if value > 1:
        _refuse(
            path, number, f"has relativeGap {value:g}, above all there is to gain; give a share, as 0.2 for 20 points"
        )
    if high is not None and high > 1:
        _refuse(path, number, f"has high {high:g}, above all there is to gain; give a share, as 0.2 for 20 points")
    if low is not None and low > value:
        _refuse(path, number, f"has low {low:g} above its relativeGap {value:g}; give an interval that holds the value")
    if high is not None and high < value:
        _refuse(
            path, number, f"has high {high:g} below its relativeGap {value:g}; give an interval that holds the value"
        )
    return Estimate(value=value, low=low, high=high)


def _share(path: Path, number: int, field: str, given: object) -> float | None:
    if given in (None, ""):
        return None
    try:
        value = float(str(given)) if not isinstance(given, bool) else float("nan")
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        _refuse(path, number, f"has {field} {given}; give a share, as 0.2 for 20 points")
    return value


def _given(row: Mapping[str, Any], field: str) -> bool:
    return row.get(field) not in (None, "")


def _refuse(path: Path, number: int, what: str) -> NoReturn:
    raise UserError(f"{path}: row {number} {what}")
