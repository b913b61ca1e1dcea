"""Whether a text points at a choice in another way than by its label as it is written or its text.

By its place ("the second one", "2nd option"), by its label in lower case ("option b", "(b)"), or by what is left when
all the others are called wrong.
"""

from __future__ import annotations

import re

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_IN_DIGITS = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th")
_LABELS = ("ABCDEFGHIJ", "123456789")
_CHOICE = "(?:option|choice|alternative|statement|answer|possibility)"
_LISTED = re.compile(r"^\W{0,3}([A-J]|\d)[).\]:]+\s*\S", re.MULTILINE)
_LABEL = r"\(?\b[A-J1-9]\b\)?"
_AND = rf"\s*(?:,\s*(?:and|or|nor)?|&|/|\b(?:and|or|nor)\b)\s*(?:{_CHOICE}s?\s+)?"
_SEVERAL = re.compile(rf"{_LABEL}(?:{_AND}{_LABEL})+", re.IGNORECASE)
_WRONG = re.compile(
    rf"({_LABEL})\W{{0,2}}\s(?:(?:is|must\s+be)\s+(?:(?!not\b)\w+\s+)?(?:wrong|incorrect|false|out|ruled|excluded)\b"
    r"|(?:is\s+not|isn['’]t|can(?:not|['’]t)\s+be)\s+(?:right|correct|it|the\s+answer)\b)"
)


def points_at(said: str, label: str, question: str) -> bool:
    """Whether a text singles out the choice of this label, among those that the question lists."""
    return _by_place(said, label) or _in_lower_case(said, label) or _by_the_others(said, label, question)


def _by_place(said: str, label: str) -> bool:
    place = next((order.index(label) for order in _LABELS if label and label in order), None)
    if place is None:
        return False
    number = rf"(?:number\s+|no\.\s*|#)?(?:{place + 1}|{_CARDINALS[place]})"
    ordinal = f"(?:{_ORDINALS[place]}|{_IN_DIGITS[place]})"
    named = rf"\b{ordinal}\s+(?:listed\s+)?{_CHOICE}\b|\bthe\s+{ordinal}\s+one\b|\b{_CHOICE}\s+{number}\b"
    return re.search(named, said, re.IGNORECASE) is not None


def _in_lower_case(said: str, label: str) -> bool:
    """`option a` may go on (`an option a child would take`), other letters are no words."""
    if not label.isalpha() or len(label) != 1:
        return False
    letter = label.lower()
    ends = r"(?=\W*(?:$|[.,;:!?)]|(?:is|was|and|or|instead|rather|again)\b))" if label in "AI" else r"\b"
    return re.search(rf"\b{_CHOICE}\W{{1,2}}{letter}\b{ends}|\({letter}\)", said) is not None


def _by_the_others(said: str, label: str, question: str) -> bool:
    others = set(_LISTED.findall(question)) - {label}
    if len(others) < 2:
        return False
    runs = [_labels(found[0]) for found in _SEVERAL.finditer(said)] + [
        _labels(found[1]) for found in _WRONG.finditer(said)
    ]
    named = set().union(*(run for run in runs if label not in run))
    return others <= named


def _labels(run: str) -> set[str]:
    return {found.upper() for found in re.findall(r"\b[A-Ja-j1-9]\b", run)}
