"""Whether a text points at a choice in another way than by its label as it is written or its text.

By its place ("the second one", "2nd option"), by its label in lower case ("option b", "it should be b"), or by what is
left when all the others are called wrong, by their labels, places or texts ("neither oxygen nor neon"). What the
student's own first statement or second answer says is no choice.
"""

from __future__ import annotations

import re

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_IN_DIGITS = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th")
_LABELS = ("ABCDEFGHIJ", "123456789")
_CHOICE = "(?:option|choice|alternative|statement|answer|possibility)"
_LISTED = re.compile(r"^\W{0,3}([A-J]|\d)[).\]:]+\s*\S", re.MULTILINE)
_WITH_TEXT = re.compile(r"^\W{0,3}([A-J]|\d)[).\]:]+[^\S\n]*(\S.*)$", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?;]+(?:\s|$)|\n+")
_DENIES = re.compile(
    r"\b(?:not|neither|nor|none|no|never|cannot|wrong|incorrect|false|out|excluded?|eliminated?|except|besides|but"
    r"|other\s+than)\b|n['’]t\b"
)
_LABEL = r"\(?\b[A-J1-9]\b\)?"
_ORDINAL = rf"(?:the\s+)?\b(?:{'|'.join((*_ORDINALS, *_IN_DIGITS))})\b"
_IS_WRONG = r"(?:is|are|must\s+be)\s+(?:(?!not\b)\w+\s+)?(?:wrong|incorrect|false|out|ruled|excluded)\b"
_CHOSEN = r"(?:pick|picked|choose|chosen|chose|select|selected|try|take|taken|prefer)"
_CLAUSE_ENDS = r"(?=\W*(?:$|[.,;:!?)]))"
_ALL_BUT = (
    r"(?i:\b(?:all|everything|every\s\w+|each|none|nothing)(?:\s\w+){0,2}\s(?:but|except|besides|other\s+than)\s"
    r"(?:for\s)?)"
)
_AND = rf"\s*(?:,\s*(?:and|or|nor)?|&|/|\b(?:and|or|nor)\b)\s*(?:{_CHOICE}s?\s+)?"
_SEVERAL = re.compile(rf"{_LABEL}(?:{_AND}{_LABEL})+", re.IGNORECASE)
_NUMBERED = re.compile(rf"\b{_CHOICE}s\s+([1-9](?:{_AND}[1-9])+)\b", re.IGNORECASE)
_IN_ORDER = re.compile(rf"({_ORDINAL}(?:{_AND}{_ORDINAL})*)\s+(?:ones?\s+|{_CHOICE}s?\s+)?{_IS_WRONG}", re.IGNORECASE)
_NOT = re.compile(rf"\b(?i:not)\s+({_LABEL}){_CLAUSE_ENDS}")
_WRONG = re.compile(
    rf"({_LABEL})\W{{0,2}}\s(?:{_IS_WRONG}"
    r"|(?:is\s+not|isn['’]t|can(?:not|['’]t)\s+be)\s+(?:right|correct|it|the\s+answer)\b)"
)


def points_at(said: str, label: str, question: str) -> bool:
    """Whether a text singles out the choice of this label, among those that the question lists."""
    by_itself = _by_place(said, label) or _in_lower_case(said, label)
    return by_itself or _by_the_others(said, label, question) or _by_other_texts(said, label, question)


def _by_place(said: str, label: str) -> bool:
    place = next((order.index(label) for order in _LABELS if label and label in order), None)
    if place is None:
        return False
    number = rf"(?:number\s+|no\.\s*|#)?(?:{place + 1}|{_CARDINALS[place]})"
    ordinal = f"(?:{_ORDINALS[place]}|{_IN_DIGITS[place]})"
    own = r"(?<!\byour\s)(?<!\bmy\s)"
    theirs = r"(?!\s+(?:(?:in|of)\s+your|that\s+you|you)\b)"
    named = (
        rf"{own}\b{ordinal}\s+(?:listed\s+)?(?:option|choice|alternative|{_CHOICE}\b{theirs})\b"
        rf"|\bthe\s+{ordinal}\s+one\b|\b{_CHOICE}\s+{number}\b|{_ALL_BUT}(?:the\s+)?{ordinal}\b"
        rf"|\bthe\s+{ordinal}\s+(?:\w+\s+)?(?:in|on|of|from)\s+(?:the|this)\s+(?:list|top|{_CHOICE}s)\b"
        rf"|\b(?:{_CHOSEN}|is|be|been)\s+the\s+{ordinal}{_CLAUSE_ENDS}"
    )
    return re.search(named, said, re.IGNORECASE) is not None


def _in_lower_case(said: str, label: str) -> bool:
    """`option a` may go on (`an option a child would take`), other letters are no words."""
    if not label.isalpha() or len(label) != 1:
        return False
    letter = label.lower()
    ends = r"(?=\W*(?:$|[.,;:!?)]|(?:is|was|and|or|instead|rather|again)\b))" if label in "AI" else r"\b"
    called = rf"\b(?i:{_CHOICE}|letter)\W{{1,2}}|\b(?i:{_CHOSEN})\s|{_ALL_BUT}"
    is_it = rf"\b(?i:{_CHOICE}|letter|one|it|that)(?:['’]s|\s(?i:is|was|(?:should|must|would|has\s+to)\s+be))\s"
    in_brackets = r"(?<!\bsentence\s)(?<!\bstatement\s)(?<!\bstep\s)(?<!\bline\s)(?<!\bpart\s)(?<!\bpoint\s)"
    named = rf"(?:{called}){letter}\b{ends}|{is_it}{letter}{_CLAUSE_ENDS}|{in_brackets}\({letter}\)"
    return re.search(named, said) is not None


def _by_the_others(said: str, label: str, question: str) -> bool:
    others = set(_LISTED.findall(question)) - {label}
    if len(others) < 2:
        return False
    runs = [_labels(found[0]) for found in _SEVERAL.finditer(said)]
    runs += [_labels(found[1]) for pattern in (_WRONG, _NOT) for found in pattern.finditer(said)]
    order = next(order for order in _LABELS if label in order) if label in "".join(_LABELS) else ""
    runs += [_placed(found[1], order) for found in _NUMBERED.finditer(said)]
    runs += [_placed(found[1], order) for found in _IN_ORDER.finditer(said)]
    named = set().union(*(run for run in runs if label not in run))
    return others <= named


def _by_other_texts(said: str, label: str, question: str) -> bool:
    """Whether all the others' texts stand in sentences that deny something and do not name this one's."""
    labels = {text.strip().rstrip(".").casefold(): each for each, text in _WITH_TEXT.findall(question)}
    others = set(labels.values()) - {label}
    if len(others) < 2 or len(others) == len(set(labels.values())):
        return False
    texts = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
    named = re.compile(rf"(?<!\w)({texts})(?:e?s)?(?!\w)")
    denied = set[str]()
    for sentence in _SENTENCE_END.split(said.casefold()):
        found = {labels[text] for text in named.findall(sentence)}
        if label not in found and _DENIES.search(named.sub(" ", sentence)):
            denied |= found
    return others <= denied


def _labels(run: str) -> set[str]:
    return {found.upper() for found in re.findall(r"\b[A-Ja-j1-9]\b", run)}


def _placed(run: str, order: str) -> set[str]:
    """The labels of what is named by its place, in words or digits."""
    words = re.findall(r"\w+", run.lower())
    return {
        each
        for each, names in zip(order, zip(_ORDINALS, _IN_DIGITS, map(str, range(1, 11)), strict=True), strict=False)
        if not set(names).isdisjoint(words)
    }
