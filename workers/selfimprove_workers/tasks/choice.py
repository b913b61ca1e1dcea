"""Choice: one of the labels that the question offers (`A` to `J`, or `1` to `4`).

Flexible reads the label in the channels of `extract`, in "(B)", "B)", "option B is correct", or takes the one choice
whose full text the response gives. Strict asks for the label (its text may follow) in a declared channel or as the
whole response; else strict is NoAnswer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.tasks.denials import undenied
from selfimprove_workers.tasks.extract import declared, final_part
from selfimprove_workers.tasks.text import MAX_LENGTH, clean

LETTERS = tuple("ABCDEFGHIJ")
TAIL = 2000


class Pick(NamedTuple):
    """A label and how it was given."""

    label: str
    is_strict: bool
    is_closed: bool = False


class Choice:
    """The checker of multiple-choice answers. `extra["choices"]`: a list of {label, text}; without it, A to J."""

    name = "Choice"

    def check(self, response: str, answer: str, extra: Mapping[str, Any] | None, truncated: bool = False) -> Check:
        """See `tasks.base.Task`."""
        choices = _choices(extra)
        gold = _gold(answer, choices)
        if gold is None:
            return Check(Verdict.GOLD_UNPARSABLE, Verdict.GOLD_UNPARSABLE)
        pick = pick_label(response, choices)
        if pick is None:
            missing = Verdict.TRUNCATED if truncated else Verdict.NO_ANSWER
            return Check(missing, missing)
        verdict = Verdict.CORRECT if pick.label == gold else Verdict.WRONG
        if truncated and not (pick.is_closed and verdict is Verdict.WRONG):
            return Check(Verdict.TRUNCATED, Verdict.TRUNCATED, pick.label)
        return Check(verdict, verdict if pick.is_strict else Verdict.NO_ANSWER, pick.label)

    def extract(self, response: str, extra: Mapping[str, Any] | None = None) -> str | None:
        """The label that a response picks."""
        pick = pick_label(response, _choices(extra))
        return pick.label if pick else None


def pick_label(response: str, choices: dict[str, str]) -> Pick | None:
    """The label that a response picks among choices (label to text)."""
    region = final_part(response)
    if region is None:
        return None
    found = declared(region)
    if found is not None:
        label = _alone(found.payload, choices)
        if label:
            return Pick(label, is_strict=True, is_closed=found.is_closed)
        payload = undenied(found.payload, choices)
        label = _leading(payload, choices) or _by_text(payload, choices)
        if label or found.is_closed:
            return Pick(label, is_strict=False, is_closed=found.is_closed) if label else None
    label = _alone(region, choices)
    if label:
        return Pick(label, is_strict=True)
    said = undenied(region[-TAIL:], choices)
    label = _mentioned(said, choices) or _leading(said, choices) or _by_text(said, choices)
    return Pick(label, is_strict=False) if label else None


def _choices(extra: Mapping[str, Any] | None) -> dict[str, str]:
    listed = (extra or {}).get("choices") or [{"label": letter, "text": ""} for letter in LETTERS]
    return {str(choice["label"]): str(choice["text"]) for choice in listed}


def _gold(answer: str, choices: dict[str, str]) -> str | None:
    """The gold label; None when it is none of those there are."""
    return _known(clean(answer), choices)


def _known(text: str, choices: dict[str, str]) -> str | None:
    return next((label for label in (text, text.upper()) if label in choices), None)


def _alone(text: str, choices: dict[str, str]) -> str | None:
    """The label, when a text is that and nothing else, or that and its choice's own text."""
    if len(text) > MAX_LENGTH:
        return None
    cleaned = clean(text)
    bare = _known(cleaned.strip("()[] "), choices)
    if bare:
        return bare
    match = re.fullmatch(r"\(?\[?(\w{1,2})[)\].:]+\s*(.+)", cleaned, re.DOTALL)
    label = _known(match[1], choices) if match else None
    same = label and match and choices[label] and _plain(match[2]) == _plain(choices[label])
    return label if same else None


def _leading(text: str, choices: dict[str, str]) -> str | None:
    """The label that a text begins with: `B) because ...`, `(B) ...`, `B. ...`, `option B`, `B, since`."""
    pattern = (
        r"\W{0,6}(?:(?:option|choice|answer|letter)\s+)?[(\[]?\*{0,2}(%s)(?![)\]*]{0,3}\s*(?:,|/|&|,?\s*\b(?:and|or)\b)\s*[(\[*]{0,3}(?:%s)\b)"
        r"(?:\*{0,2}[)\]:.,]|\*\*|\s*$|\s+(?:is|because|since|as)\b)"
    )
    match = _pattern(pattern, tuple(choices)).match(text)
    return match[1] if match else None


def _mentioned(text: str, choices: dict[str, str]) -> str | None:
    """The label that the last sentence which names one names as the answer."""
    labels = tuple(choices)
    named = _pattern(
        r"(?:(?i:option|choice|letter|answer)\s*[(\[*]{0,3}(%s)\b|[(\[](%s)[)\]]"
        r"|\b(%s)[)\]*]{0,3}\s+is\s+(?:the\s+)?(?i:correct|right|best)"
        r"|\b(?i:it\s+is|it's|it\s+must\s+be|so|thus|hence|therefore|choose|pick|select|go\s+with)\s*,?\s*"
        r"[(\[*]{0,3}(%s)[)\]*]{0,3}(?=\s*(?:[.,;:!]|\Z|because\b|since\b)))",
        labels,
    )
    found = [next(group for group in match.groups() if group) for match in named.finditer(text)]
    return found[-1] if found else None


def _by_text(text: str, choices: dict[str, str]) -> str | None:
    """The one choice whose full text stands in a text; None when none or several do."""
    said = f" {_plain(text[:TAIL])} "
    found = [label for label, choice in choices.items() if _plain(choice) and f" {_plain(choice)} " in said]
    longest = [label for label in found if not any(_within(choices[label], choices[o]) for o in found if o != label)]
    return longest[0] if len(longest) == 1 else None


def _within(one: str, other: str) -> bool:
    return f" {_plain(one)} " in f" {_plain(other)} "


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w.%°/+-]*\w[%°]?", text.casefold()))


@lru_cache(maxsize=256)
def _pattern(pattern: str, labels: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(pattern.replace("%s", "|".join(map(re.escape, labels))))
