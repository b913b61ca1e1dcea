"""Rows of one method each, as a run's own score tables have them, brought together to one row a sample.

{"prompt": "p1", "sample": 0, "method": "judge", "score": 0.9, "verdict": null}; the rows of method GroundTruth are the
task's own check, whose score is the utility.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from selfimprove.errors import UserError
from selfimprove.filtering import GROUND_TRUTH

COLUMNS = ("method", "score", "verdict")
"""Beside `prompt` and `sample`."""


def whole_rows(rows: Iterable[object], name: str) -> Iterator[object]:
    """One row a sample with its `utility` and `scores`; rows of another shape as they stand.

    Which shape it is the first row says. Raises `UserError` naming the file `name` and the row that is no score.
    """
    rest = iter(rows)
    first = next(rest, None)
    if first is None:
        return iter(())
    rows = chain([first], rest)
    return iter(_joined(rows, name)) if _is_score(first) else rows


def _is_score(row: object) -> bool:
    return (
        isinstance(row, dict)
        and row.keys() >= {"prompt", "sample", *COLUMNS}
        and "scores" not in row
        and all(isinstance(row[name], str | int) for name in ("prompt", "sample", "method"))
    )


def _joined(rows: Iterable[object], name: str) -> Iterable[object]:
    found: dict[tuple[object, object], dict[str, object]] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not _is_score(row):
            raise UserError(f"{name}: row {number} is no score of a method, and the first row is one; mend it")
        if isinstance(row["score"], bool | str | list | dict):
            raise UserError(f"{name}: row {number} has a score that is no number; give a number or null")
        key = (row["prompt"], row["sample"])
        whole = found.setdefault(key, {"prompt": key[0], "sample": key[1], "utility": None, "scores": {}, "mass": {}})
        scores, mass, method = whole["scores"], whole["mass"], row["method"]
        assert isinstance(scores, dict) and isinstance(mass, dict)  # made above
        if method == GROUND_TRUTH:
            whole["utility"] = row["score"]
        elif method in scores:
            raise UserError(
                f"{name}: row {number} scores sample {key[1]} of prompt {key[0]} by {method} twice; mend it"
            )
        else:
            scores[method] = row["score"]
            if row.get("mass") is not None:
                mass[method] = row["mass"]
    return found.values()
