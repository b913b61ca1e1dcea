"""Values of a row by the paths that `dataset.fields` gives: a column by its name, or a way into its structs."""

from __future__ import annotations

import math
from typing import Any

from selfimprove.errors import UserError
from selfimprove_workers.datasets.files import Row

SHOWN = 20


def value_at(row: Row, path: str, field: str) -> Any:
    """The value at a path: the column of exactly that name, else the way through structs and lists.

    Raises `UserError` naming what there is instead.
    """
    if path in row.values:
        return row.values[path]
    value: Any = row.values
    for depth, name in enumerate(path.split(".")):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif value is None and depth:
            return None
        else:
            raise UserError(f"{field}: {path} is not in {row.where}; there is {_inventory(value)}")
    return value


def text_at(row: Row, path: str, field: str) -> str | None:
    """The value at a path as text: numbers and booleans are spelled out, null stays None, and so does NaN.

    Raises `UserError` for a struct, a list or an infinity.
    """
    value = value_at(row, path, field)
    if isinstance(value, float) and math.isnan(value):
        return None  # what pandas writes for a value that is missing
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, float) and math.isinf(value):
        raise UserError(f"{field}: {path} is infinite in {row.where}; give text or a number")
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        names = ", ".join(f"{path}.{name}" for name in list(value)[:SHOWN])
        raise UserError(f"{field}: {path} is a struct in {row.where}; name one of {names}")
    raise UserError(f"{field}: {path} is a {type(value).__name__} in {row.where}; give a column of text or numbers")


def some_text_at(row: Row, path: str | None, field: str) -> str | None:
    """The same where there need be none: None for a path that is not given, and for an empty text."""
    return text_at(row, path, field) or None if path else None


def _inventory(value: Any) -> str:
    if isinstance(value, dict):
        names = sorted(map(str, value))
        return (", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")) or "nothing"
    return f"a list of {len(value)}" if isinstance(value, list) else f"a {type(value).__name__}"
