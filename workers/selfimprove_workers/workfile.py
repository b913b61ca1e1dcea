"""OUTPUT.partial: the samples of a file by prompt, and every score as it is made, in an SQLite file.

A file of samples may be in any order and larger than memory, and methods want all samples of a prompt together: so
they are sorted on disk. Scores outlive a killed command; the samples are read anew each time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from selfimprove.errors import SurroundingsError, UserError
from selfimprove.store.disk import explained, make_folder
from selfimprove_workers.foreign import MARKS, Given, candidate_of, score_keys, words_of
from selfimprove_workers.verifiers.base import Candidate

_AT_ONCE = 256
_TABLES = """
DROP TABLE IF EXISTS prompt;
DROP TABLE IF EXISTS sample;
DROP TABLE IF EXISTS key;
DROP TABLE IF EXISTS earlier;
CREATE TABLE prompt (place INTEGER PRIMARY KEY, id TEXT UNIQUE, messages TEXT, samples INTEGER);
CREATE TABLE sample (
    number INTEGER PRIMARY KEY, prompt INTEGER, sample INTEGER, words TEXT, text TEXT, answer TEXT, marks TEXT
);
CREATE UNIQUE INDEX identity ON sample (prompt, sample);
CREATE INDEX by_prompt ON sample (prompt, number);
CREATE TABLE key (method TEXT, number INTEGER, key TEXT, PRIMARY KEY (method, number)) WITHOUT ROWID;
CREATE TABLE earlier (words TEXT PRIMARY KEY, marks TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS score (key TEXT PRIMARY KEY, score REAL, mass REAL, critiques TEXT) WITHOUT ROWID;
"""

_OPEN = "SELECT count(*) FROM key LEFT JOIN score USING (key) WHERE method = ? AND score.key IS NULL"
_OPEN_OF_ALL = """
SELECT sum(samples) FROM prompt WHERE EXISTS (
    SELECT 1 FROM sample CROSS JOIN key USING (number) LEFT JOIN score USING (key)
    WHERE prompt = place AND method = ? AND score.key IS NULL
)
"""
_OPEN_PROMPTS = """
SELECT DISTINCT prompt FROM sample CROSS JOIN key USING (number) LEFT JOIN score USING (key)
WHERE method = ? AND prompt > ? AND score.key IS NULL ORDER BY prompt LIMIT ?
"""


class Known(NamedTuple):
    """A score that was made, now or before."""

    score: float | None
    mass: float | None
    critiques: list[dict[str, Any]]
    """What was said, vote by vote; empty where nothing was."""


class Marked(NamedTuple):
    """A sample with the scores that it got, in the order of the file."""

    prompt: str
    sample: int
    words: str
    scores: Mapping[str, tuple[str, Known]]
    """Method -> what the score was made from, and the score."""
    earlier: Mapping[str, Mapping[str, Any]]
    """`MARKS` that OUTPUT had of the same words."""


class Account(NamedTuple):
    """What the scores of a method came to."""

    samples: int
    without: int
    mass: float | None
    """The mean label mass, where labels were read."""
    critiques: int
    unread: int
    """Critiques that end in nothing that can be read."""


@contextmanager
def work_file(path: Path) -> Iterator[WorkFile]:
    """The work file at `path`, with the scores of an earlier attempt and no samples; it is gone after if it has none.

    Raises `UserError` for a file that is none, or is in use; `SurroundingsError` for what the disk refuses.
    """
    with explained(str(path)):
        make_folder(path.absolute().parent)
    with _faults(path):
        database = sqlite3.connect(path, timeout=1, isolation_level="IMMEDIATE")
        ours = None
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.executescript(_TABLES)
            yield (ours := WorkFile(database))
        finally:
            worthless = ours is not None and not ours.scores
            database.close()
            if worthless:
                path.unlink(missing_ok=True)


class WorkFile:
    """Samples in, grouped by prompt; scores in and out."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def take_in(self, rows: Iterable[Given], place: str) -> None:
        """All samples of the file, numbered within their prompt where they are not.

        Raises `UserError` for a sample that is there twice, or a prompt that asks two questions.
        """
        with self._database:
            for number, row in enumerate(rows):
                self._take(number, row, place)
        if not self.samples:
            raise UserError(f"{place}: holds no samples; give one object a row")

    def remember(self, rows: Iterable[Given]) -> None:
        """The marks of rows that were scored before."""
        marked = ((words_of(r.prompt, r.sample or 0, r.messages, r.text), _marks(r.row)) for r in rows)
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO earlier VALUES (?, ?)", marked)

    @property
    def samples(self) -> int:
        """How many there are."""
        return self._count("SELECT count(*) FROM sample")

    @property
    def scores(self) -> int:
        """How many are kept, of these samples and others."""
        return self._count("SELECT count(*) FROM score")

    def chats(self) -> Iterator[tuple[str, list[dict[str, str]]]]:
        """Each prompt's id and what it asks."""
        for id, messages in self._database.execute("SELECT id, messages FROM prompt ORDER BY place"):
            yield id, json.loads(messages)

    def plan(self, method: str, recipe: str, compares: bool) -> int:
        """Note what each sample's score by a method is made from, and which are known; how many need no work.

        Raises `UserError` for a score of this name in SAMPLES that was made otherwise: nobody's figures are written
        over.
        """
        for places in self._pages("SELECT place FROM prompt WHERE place > ? ORDER BY place LIMIT ?"):
            with self._database:
                for place in places:
                    self._plan(method, recipe, compares, place)
        return self.samples - self._count(_OPEN_OF_ALL if compares else _OPEN, method)

    def open(self, method: str, compares: bool, at_least: int) -> Iterator[list[tuple[str, Candidate]]]:
        """The samples without a score, each under its key, some whole prompts at a time; all samples of such a prompt
        where they compare.
        """
        batch: list[tuple[str, Candidate]] = []
        for place in self._open_prompts(method):
            batch += self._candidates(method, place, compares)
            if len(batch) >= at_least:
                yield batch
                batch = []
        if batch:
            yield batch

    def note(self, made: Mapping[str, Known]) -> None:
        """Keep scores, by key."""
        rows = [(key, each.score, each.mass, json.dumps(each.critiques)) for key, each in made.items()]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO score VALUES (?, ?, ?, ?)", rows)

    def account(self, method: str) -> Account:
        """What all samples got by a method."""
        counted = "SELECT count(*), count(*) - count(score), avg(mass) FROM key JOIN score USING (key) WHERE method = ?"
        said = (
            "SELECT count(*), count(*) - count(json_extract(value, '$.says')) "
            "FROM key JOIN score USING (key), json_each(critiques) WHERE method = ?"
        )
        found = [self._database.execute(query, (method,)).fetchone() for query in (counted, said)]
        return Account(*found[0], *found[1])

    def marked(self, methods: Sequence[str]) -> Iterator[Marked]:
        """Every sample in the order of the file, when all are scored."""
        samples = (
            "SELECT id, sample, words, earlier.marks FROM sample JOIN prompt ON place = prompt "
            "LEFT JOIN earlier USING (words) ORDER BY number"
        )
        scored = "SELECT key, score, mass, critiques FROM key JOIN score USING (key) WHERE method = ? ORDER BY number"
        columns = [self._database.execute(scored, (method,)) for method in methods]
        for (id, sample, words, earlier), *found in zip(self._database.execute(samples), *columns, strict=True):
            scores = {method: (key, _known(*rest)) for method, (key, *rest) in zip(methods, found, strict=True)}
            yield Marked(id, sample, words, scores, json.loads(earlier or "{}"))

    def _take(self, number: int, row: Given, place: str) -> None:
        messages = json.dumps(row.messages)
        known = self._database.execute("SELECT place, messages, samples FROM prompt WHERE id = ?", (row.prompt,))
        prompt, asked, count = known.fetchone() or (number, messages, 0)
        if asked != messages:
            raise UserError(f"{place}: prompt {row.prompt} asks two different questions; give each an id of its own")
        self._database.execute(
            "INSERT OR REPLACE INTO prompt VALUES (?, ?, ?, ?)", (prompt, row.prompt, asked, count + 1)
        )
        sample = count if row.sample is None else row.sample
        words = words_of(row.prompt, sample, row.messages, row.text)
        values = (number, prompt, sample, words, row.text, row.answer, _marks(row.row))
        try:
            self._database.execute("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        except sqlite3.IntegrityError:
            raise UserError(
                f"{place}: prompt {row.prompt} has sample {sample} twice; number the samples of a prompt, or leave "
                "sample out"
            ) from None

    def _plan(self, method: str, recipe: str, compares: bool, place: int) -> None:
        rows = self._database.execute(
            "SELECT number, words, answer, sample.marks, earlier.marks FROM sample LEFT JOIN earlier USING (words) "
            "WHERE prompt = ? ORDER BY number",
            (place,),
        ).fetchall()
        keys = score_keys(recipe, [(words, answer) for _, words, answer, _, _ in rows], compares)
        for (number, _, _, own, earlier), key in zip(rows, keys, strict=True):
            self._database.execute("INSERT INTO key VALUES (?, ?, ?)", (method, number, key))
            for marks in (json.loads(own), json.loads(earlier or "{}")):
                if marks.get("scoredBy", {}).get(method) == key:
                    self._keep(method, key, marks)
            _require_ours(method, key, json.loads(own))

    def _keep(self, method: str, key: str, marks: Mapping[str, Any]) -> None:
        score, mass, critiques = (marks.get(name, {}).get(method) for name in MARKS[:3])
        values = (key, score, mass, json.dumps(critiques or []))
        self._database.execute("INSERT OR IGNORE INTO score VALUES (?, ?, ?, ?)", values)

    def _open_prompts(self, method: str) -> Iterator[int]:
        """The prompts that have a sample without a score; those that get one meanwhile are passed by."""
        for places in self._pages(_OPEN_PROMPTS, method):
            yield from places

    def _pages(self, query: str, *values: str) -> Iterator[list[int]]:
        """Places after places, some at a time: what was read is read, whatever is written meanwhile."""
        last = -1
        while places := [place for (place,) in self._database.execute(query, (*values, last, _AT_ONCE))]:
            yield places
            last = places[-1]

    def _candidates(self, method: str, place: int, compares: bool) -> list[tuple[str, Candidate]]:
        (id, messages) = self._database.execute("SELECT id, messages FROM prompt WHERE place = ?", (place,)).fetchone()
        rows = self._database.execute(
            "SELECT key.key, sample.sample, text, answer, score.key IS NULL FROM sample "
            "JOIN key ON key.method = ? AND key.number = sample.number LEFT JOIN score ON score.key = key.key "
            "WHERE prompt = ? ORDER BY sample.number",
            (method, place),
        )
        chat = json.loads(messages)
        return [
            (key, candidate_of(id, sample, chat, text, answer))
            for key, sample, text, answer, is_open in rows
            if is_open or compares
        ]

    def _count(self, query: str, *values: str) -> int:
        return int(self._database.execute(query, values).fetchone()[0] or 0)


def marks_of(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The maps of a row that hold what was scored."""
    return {name: dict(row.get(name) or {}) for name in MARKS}


def _marks(row: Mapping[str, Any]) -> str:
    return json.dumps({name: found for name, found in marks_of(row).items() if found}, default=str)


def _known(score: float | None, mass: float | None, critiques: str) -> Known:
    return Known(score, mass, json.loads(critiques))


def _require_ours(method: str, key: str, marks: Mapping[str, Any]) -> None:
    if marks.get("scores", {}).get(method) is not None and marks.get("scoredBy", {}).get(method) != key:
        raise UserError(
            f"--method: the samples have other scores named {method} already; give another name, as my-{method}=TYPE"
        )


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """What SQLite says of the file, as one line."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise UserError(
                f"{path}: another command is at work on it; wait for its end, or give another -o"
            ) from error
        remedy = "free some space or choose another -o" if "full" in str(error) else "mend it or choose another -o"
        raise SurroundingsError(f"{path}: can't be written ({error}); {remedy}, then run the command again") from error
    except sqlite3.DatabaseError as error:
        raise UserError(f"{path}: holds no scores of a command that was stopped ({error}); remove it") from error
