"""URIs taken apart, and which kinds of places may stand where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from selfimprove.errors import UserError

MODEL_SCHEMES = ("hf", "s3", "file", "package")
DATASET_SCHEMES = (*MODEL_SCHEMES, "gym")
STORAGE_SCHEMES = ("s3", "file")


class Place(NamedTuple):
    """A URI taken apart; a plain path has the scheme `file`."""

    scheme: str
    rest: str
    plain: bool


def place_of(uri: str) -> Place:
    """The scheme of a URI and what follows it."""
    found = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*)://(.*)", uri, re.DOTALL)
    return Place(found[1].lower(), found[2], False) if found else Place("file", uri, True)


def local_path(word: str) -> Path | None:
    """The path that is named plainly or by `file://`, `~` expanded; None for a place that is not on this machine."""
    if "://" not in word:
        return _at_home(Path(word))
    try:
        parts = urlsplit(word)
    except ValueError:  # brackets around what is no IPv6 address
        return None
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return Path(unquote(parts.path))
    return None


def file_of(word: str) -> Path:
    """The file that a person names. Raises `UserError` for a place that is not on this machine."""
    path = local_path(word)
    if path is None:
        raise UserError(f"{word}: is no file of this machine; give a path or file:///path")
    return path


def spoken(schemes: tuple[str, ...]) -> str:
    """The schemes as a remedy lists them."""
    return f"{', '.join(f'{scheme}://' for scheme in schemes)} or a path"


def gym_options(place: Place) -> tuple[str, dict[str, str]]:
    """The name of a gym:// task and its options, the last one of each."""
    name, _, query = place.rest.partition("?")
    return name, {key: values[-1] for key, values in parse_qs(query, keep_blank_values=True).items()}


def same_data(one: str, other: str) -> bool:
    """Whether two URIs are spellings of the same data.

    Sets of one gym task are when they name the same seed, whatever their sizes; one that names none gets its own.
    """
    places = place_of(one), place_of(other)
    if places[0].scheme == places[1].scheme == "gym":
        (name, options), (other_name, other_options) = map(gym_options, places)
        return name == other_name and "seed" in options and options["seed"] == other_options.get("seed")
    return _normal(places[0]) == _normal(places[1])


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # ~NAME of nobody: then it is the name of a file
        return path


def _normal(place: Place) -> tuple[str, str]:
    rest = unquote(place.rest) if place.scheme == "file" and not place.plain else place.rest
    rest = re.sub(r"/(\./)*/*", "/", rest).removeprefix("./").rstrip("/")
    return (place.scheme, rest.replace("@main/", "/"))
