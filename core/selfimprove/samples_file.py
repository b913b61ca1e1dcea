"""Samples of anybody's, scored by anything, as flat arrays: what `selfimprove measure` and `sweep` read.

One row a sample, in any order: {"prompt": "p1", "sample": 0, "utility": 1, "scores": {"mc": 0.93}, "level": 2}, and
"mass" as "scores" where labels were read, as JSON lines (also .gz) or Parquet. Files are read as a stream: of a row its
numbers are kept, some 50 bytes. Rows of one method each, as a run's own tables of scores have them, are brought
together first (`score_rows`).
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import numpy as np

from selfimprove.errors import UserError
from selfimprove.measures.table import Floats, Ints
from selfimprove.score_rows import COLUMNS, whole_rows
from selfimprove.text_files import LINES, open_text

KNOWN = ("prompt", "sample", "utility", "scores", "mass", "level")
_BY_SCORE = ("scores", "mass")
"""Columns that hold a number of each score."""
_LAST_SAMPLE = 2**63 - 1


@dataclass(frozen=True)
class Samples:
    """n samples of P prompts, prompt by prompt."""

    ids: tuple[str, ...]
    """The P prompt ids, sorted."""
    prompt: Ints
    """[n] Index into `ids`."""
    utility: Floats
    """[n] 0 or 1, NaN where unknown."""
    scores: Mapping[str, Floats]
    """Name -> [n], NaN where missing."""
    levels: tuple[str | None, ...]
    """[P] The difficulty level of each prompt."""
    mass: Mapping[str, Floats] = field(default_factory=dict)
    """Name -> [n] the probability mass on the labels, of scores that read labels; NaN where missing."""


def read_samples(path: Path) -> Samples:
    """The samples of a file. Raises `UserError` naming the file, the row and what to mend."""
    collector = _Collector(path)
    for number, row in enumerate(whole_rows(rows_of(path, (*KNOWN, *COLUMNS)), str(path)), 1):
        collector.add(number, row)
    return collector.samples()


def rows_of(path: Path, columns: Collection[str] | None = None) -> Iterator[object]:
    """The rows of a file as they stand, one after another; of Parquet those of `columns` that it has, or all.

    A map of scores comes as a dict. Raises `UserError` naming the file and what to mend.
    """
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            yield from _parquet(path, columns)
        elif name.endswith(LINES):
            yield from _lines(path)
        else:
            raise UserError(f"{path}: is no file of samples; give .jsonl or .parquet")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; give samples as .jsonl or .parquet") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{path}: can't be read ({reason}); give a sound file") from error


def sample_of(sample: object) -> int | None:
    """The `sample` of a row, None where it has none. Raises `ValueError` saying what the row has and the remedy."""
    if sample is None:
        return None
    if isinstance(sample, bool) or not isinstance(sample, int) or not 0 <= sample <= _LAST_SAMPLE:
        raise ValueError(f"has sample {shown(sample)}; give a whole number from 0 to below 2^63, or leave it out")
    return sample


def scores_of(scores: object, column: str = "scores") -> dict[str, float]:
    """The `scores` (or another `column`) of a row as numbers, NaN where null.

    Raises `ValueError` saying what the row has and the remedy.
    """
    if scores is None:
        return {}
    if not isinstance(scores, dict):
        raise ValueError(f"has {column} {shown(scores)}; give an object of names and numbers")
    return {name: _score(f"{column}.{name}", value) for name, value in scores.items()}


def shown(value: object) -> str:
    """A value of a row as a message shows it: as JSON, cut where it is long."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:37]}..."


class _Collector:
    """Rows as they come, one array a column."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, int] = {}
        self._levels: list[str | None] = []
        self._prompt, self._sample, self._utility = array("q"), array("q"), array("d")
        self._by_score: dict[str, dict[str, array[float]]] = {column: {} for column in _BY_SCORE}
        self._unnumbered = 0

    def add(self, number: int, row: object) -> None:
        """Take in one row."""
        if not isinstance(row, dict):
            self._refuse(number, f"is a {type(row).__name__}; give one object a row")
        prompt = row.get("prompt")
        if prompt is None or prompt == "":
            self._refuse(number, "has no prompt; give the prompt's id as text")
        if isinstance(prompt, dict | list | bool | float):
            self._refuse(number, f"has a {type(prompt).__name__} as its prompt; give the prompt's id as text")
        place = self._places.setdefault(str(prompt), len(self._places))
        if place == len(self._levels):
            self._levels.append(None)
        self._level(number, place, row.get("level"))
        self._prompt.append(place)
        self._sample.append(self._numbered(number, row.get("sample")))
        self._utility.append(self._checked_utility(number, row.get("utility")))
        for column in _BY_SCORE:
            self._numbers(number, column, row.get(column))

    def samples(self) -> Samples:
        """All that came, prompts sorted by id."""
        if not self._prompt:
            raise UserError(f"{self._path}: holds no samples; give one object a row")
        names = list(self._places)
        order = sorted(range(len(names)), key=names.__getitem__)
        rank = np.empty(len(names), dtype=np.int64)
        rank[order] = np.arange(len(names))
        prompt, sample = np.frombuffer(self._prompt, dtype=np.int64), np.frombuffer(self._sample, dtype=np.int64)
        ordered = np.lexsort((sample, rank[prompt]))  # whatever order they came in, sums come out alike
        self._refuse_repeats(prompt[ordered], sample[ordered], names)
        return Samples(
            ids=tuple(names[i] for i in order),
            prompt=rank[prompt][ordered],
            utility=np.frombuffer(self._utility)[ordered],
            scores=self._columns("scores", ordered),
            levels=tuple(self._levels[i] for i in order),
            mass=self._columns("mass", ordered),
        )

    def _level(self, number: int, place: int, level: object) -> None:
        if level is None or (isinstance(level, float) and math.isnan(level)):
            return
        text = f"{level:g}" if isinstance(level, float) else str(level)
        if self._levels[place] not in (None, text):
            self._refuse(number, f"gives its prompt level {text}, and an earlier row {self._levels[place]}; mend one")
        self._levels[place] = text

    def _numbered(self, number: int, sample: object) -> int:
        try:
            found = sample_of(sample)
        except ValueError as error:
            self._refuse(number, str(error))
        if found is None:
            self._unnumbered += 1
            return -self._unnumbered
        return found

    def _checked_utility(self, number: int, value: object) -> float:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return math.nan
        if isinstance(value, str) or value not in (0, 1):
            self._refuse(number, f"has utility {shown(value)}; give 0, 1 or null")
        return float(bool(value))

    def _numbers(self, number: int, column: str, given: object) -> None:
        try:
            found = scores_of(given, column)
        except ValueError as error:
            self._refuse(number, str(error))
        for name, value in found.items():
            values = self._by_score[column].setdefault(name, array("d"))
            values.extend([math.nan] * (len(self._prompt) - 1 - len(values)))
            values.append(value)

    def _columns(self, column: str, order: Ints) -> dict[str, Floats]:
        return {name: self._padded(values)[order] for name, values in sorted(self._by_score[column].items())}

    def _padded(self, values: array[float]) -> Floats:
        found = np.full(len(self._prompt), np.nan)
        found[: len(values)] = np.frombuffer(values)
        return found

    def _refuse_repeats(self, prompt: Ints, sample: Ints, names: list[str]) -> None:
        same = np.flatnonzero((np.diff(prompt) == 0) & (np.diff(sample) == 0))
        if same.size:
            raise UserError(
                f"{self._path}: prompt {names[prompt[same[0]]]} has sample {sample[same[0]]} twice; number the samples "
                "of a prompt, or leave sample out"
            )

    def _refuse(self, number: int, what: str) -> NoReturn:
        raise UserError(f"{self._path}: row {number} {what}")


def _score(name: str, value: object) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(f"has {name} {shown(value)}; give a number or null")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if math.isinf(found):
        raise ValueError(f"has {name} {shown(value)}; give a finite number or null")
    return found


def _lines(path: Path) -> Iterator[object]:
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                reason = getattr(error, "msg", None) or type(error).__name__
                raise UserError(f"{path}: line {number} is not JSON ({reason}); give one object a line") from error


def _parquet(path: Path, columns: Collection[str] | None) -> Iterator[object]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            there = file.schema_arrow.names
            mapped = [
                name for name in _BY_SCORE if name in there and pa.types.is_map(file.schema_arrow.field(name).type)
            ]
            wanted = there if columns is None else [name for name in columns if name in there]
            for batch in file.iter_batches(batch_size=8192, columns=wanted):
                for row in batch.to_pylist():
                    yield row | {name: dict(row[name]) for name in mapped if row.get(name) is not None}
    except pa.ArrowException as error:
        raise UserError(
            f"{path}: can't be read as Parquet ({str(error).splitlines()[0]}); give a sound file"
        ) from error
