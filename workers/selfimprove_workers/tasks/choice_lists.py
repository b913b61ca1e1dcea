"""A text that goes through the choices one by one, as the question does or to weigh each: what it says behind them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

from selfimprove_workers.tasks.assertions import CLOSING, OPENING, labelled
from selfimprove_workers.tasks.choice_patterns import either

WORD = re.compile(r"[a-z]{2,}", re.IGNORECASE)
LISTED = re.compile(r"(?:\A|[\s*(])(?P<label>[A-J1-4])[)\].:]", re.ASCII)


def behind_the_list(text: str, choices: Mapping[str, str]) -> str | None:
    """What a text says behind the last line of those that go through its choices; None when it goes through none."""
    text = labelled(text, choices)
    items = list(_item(tuple(choices)).finditer(text))
    if _is_answer(items, text):
        return None
    return text[items[-1].end() :].partition("\n")[2] if len({_label(found) for found in items}) > 1 else None


def _is_answer(items: list[re.Match[str]], text: str) -> bool:
    """Whether the first is the answer and the lines behind it go through the others: `B. Venus`, blank, `A: ...`."""
    if len(items) < 3 or _label(items[0]) in map(_label, items[1:]):
        return False
    first, *others = ("\n\n" in text[a.end() : b.start() + 1] for a, b in pairwise(items))
    return first and not any(others)


def _words(found: re.Match[str]) -> str:
    """The words before an item's label."""
    return " ".join(WORD.findall(found[0]))


def _label(found: re.Match[str]) -> str:
    return str(found["label"] or found["text"])


def is_echo(text: str, choices: Mapping[str, str]) -> bool:
    """Whether the lines of a text go through the choices from the first on, all marked alike, as the question does."""
    labels = tuple(choices)
    items = list(_item(labels).finditer(labelled(text, choices)))
    begun = tuple(map(_label, items))
    return len(begun) > 1 and begun == labels[: len(begun)] and len(set(map(_words, items))) == 1


def begins_item(text: str, choices: Mapping[str, str]) -> bool:
    """Whether a text begins with a line of a list of choices."""
    return _item(tuple(choices)).match(labelled(text, choices)) is not None


def lists_another(text: str, label: str, choices: Mapping[str, str]) -> bool:
    """Whether a text goes through other choices too: `A) red is ... B) blue is ...`."""
    return any(found["label"] in choices and found["label"] != label for found in LISTED.finditer(text))


@lru_cache(maxsize=256)
def _item(labels: tuple[str, ...]) -> re.Pattern[str]:
    """A line that begins with a label or a choice's text, however marked: `1. **A) Mars**`, `Option A:`, `- Mars:`."""
    label = either(labels)
    return re.compile(
        rf"^[^\w\n]{{0,6}}(?:\d{{1,2}}[.)][^\w\n]{{0,6}})?(?i:option|choice|answer)?[^\w\n]{{0,4}}"
        rf"(?:(?P<label>{label})(?:[)\].:*]|\s[(–—-]|\s?{OPENING})"
        rf"|{OPENING}(?P<text>{label}){CLOSING}[*_]{{0,3}}(?::|\s[(–—-]))",
        re.MULTILINE,
    )
