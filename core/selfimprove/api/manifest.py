"""From a file to a run: read as kubectl reads it, changed by `--set`, refused with every problem in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from selfimprove.api.built import check_built
from selfimprove.api.cautions import cautions
from selfimprove.api.kubeyaml import documents
from selfimprove.api.problem import Problem, lines
from selfimprove.api.sets import apply_sets
from selfimprove.api.spec import GROUP, KIND, Run
from selfimprove.errors import InvalidRunError, UserError


class Checkup(NamedTuple):
    """One run of a file that was looked at: its name where it has one, all that keeps it from running, and what to be
    warned of.
    """

    name: str | None
    problems: list[Problem]
    cautions: list[Problem]


def load_run(source: Path | str, sets: Sequence[str] = ()) -> Run:
    """The one run of a manifest, with `--set` values in it.

    `source`: a path, or the YAML text itself (a string with a line break or that begins with `{`). Raises
    `InvalidRunError` with one line for every problem, those included that are valid but not built yet, and `UserError`
    for what is no single run.
    """
    text, name = _text(source)
    found = runs_in(text, name)
    if len(found) != 1:
        raise UserError(f"{name}: holds {len(found)} SelfImprovementRuns; give a file with one")
    document = found[0]
    run, problems, _ = check_built(apply_sets(document, sets) if isinstance(document, dict) else document)
    if run is None:
        raise InvalidRunError(lines(problems))
    return run


def check_file(path: Path) -> list[Checkup]:
    """What is wrong with each run of a file. Raises `UserError` when the file can't be read or holds no run."""
    text, name = _text(path)
    documents = runs_in(text, name)
    twice = _named_twice(documents)
    return [_checked(document, twice.get(number, [])) for number, document in enumerate(documents)]


def runs_in(text: str, name: str) -> list[Any]:
    """The documents that are runs, other objects beside them left out; a lone document counts as one.

    A List, which `kubectl get -o yaml` writes of several, stands for its items. Raises `UserError` when the text is no
    YAML, or holds nothing that could be a run.
    """
    loaded = [item for document in documents(text, name) for item in _items(document)]
    ours = [document for document in loaded if _is_ours(document)]
    if ours or (len(loaded) == 1 and isinstance(loaded[0], dict)):
        return ours or loaded
    if len(loaded) == 1:
        shown = " ".join(str(loaded[0]).split())[:40]
        raise UserError(f"{name}: holds {shown!r}; give a map with apiVersion, kind, metadata and spec")
    what = f"{len(loaded)} documents, none of them a {KIND}" if loaded else "nothing"
    raise UserError(f"{name}: holds {what}; give apiVersion, kind, metadata and spec of one")


def _checked(document: object, found: list[Problem]) -> Checkup:
    run, problems, spec = check_built(document)
    warned = cautions(spec, whole=run is not None) if spec else []
    return Checkup(_name_of(document), found + problems, warned)


def _items(document: Any) -> list[Any]:
    if isinstance(document, dict) and document.get("kind") == "List" and isinstance(document.get("items"), list):
        return list(document["items"])
    return [document]


def _is_ours(document: object) -> bool:
    if not isinstance(document, dict):
        return False
    return document.get("kind") == KIND or str(document.get("apiVersion")).startswith(f"{GROUP}/")


def _named_twice(documents: Sequence[Any]) -> dict[int, list[Problem]]:
    """What is wrong with every run that would overwrite an earlier one of its file, by its place in the file."""
    seen: set[tuple[str, str]] = set()
    found: dict[int, list[Problem]] = {}
    for number, document in enumerate(documents):
        name = _name_of(document)
        key = (str(document["metadata"].get("namespace")), name) if name else None
        if key in seen:
            found[number] = [Problem("metadata.name", f"{name} is another run's of this file; give a name of its own")]
        elif key:
            seen.add(key)
    return found


def _name_of(document: object) -> str | None:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None


def _text(source: Path | str) -> tuple[str, str]:
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        return source, "<text>"
    path = Path(source)
    try:
        return path.read_bytes().decode("utf-8-sig"), str(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; give the YAML of a {KIND}") from error
    except IsADirectoryError as error:
        raise UserError(f"{path}: is a folder; give the YAML file of a {KIND}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is no UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror}); mend its permissions") from error
