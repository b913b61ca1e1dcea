"""Choice: one of the labels that the question offers (`A` to `J`, or `1` to `4`).

Flexible reads the label in the channels of `extract`, in English or not (`abroad`), else one that is the last line
(`lone`), else the last one concluded ("so B") or claimed ("option B is correct"), the one that it opens with ("B)
because", `opening`), one that its last sentence ends with by its text, or the only one that it names, or that its main
clauses do, by its label or by its full text; a short text may be only the beginning of one choice's. Of a text that
goes through the choices one by one, what it says behind them counts (`choice_lists`). What a declaration opens with
only a conclusion takes back. What is denied, asked, supposed, listed or said of others ("many choose D"), or only a
part of a longer name (salt water is not water), counts nowhere (`assertions`). Strict asks for the label (its text may
follow) in a declared channel or as the whole response; else strict is NoAnswer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from selfimprove_workers.tasks.abroad import declared_anywhere
from selfimprove_workers.tasks.assertions import UNSAID, plain
from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.tasks.choice_alone import alone_label, alone_or_text, known_label
from selfimprove_workers.tasks.choice_lists import begins_item, is_echo
from selfimprove_workers.tasks.choice_prose import picked_in_prose
from selfimprove_workers.tasks.corrections import corrected
from selfimprove_workers.tasks.dress import without_latex
from selfimprove_workers.tasks.extract import Found, final_part
from selfimprove_workers.tasks.lone import last_alone
from selfimprove_workers.tasks.text import clean

LETTERS = tuple("ABCDEFGHIJ")
NUMBERS = tuple("1234")
TAIL = 2000
KEYED = re.compile(
    r"\{[^{}]{0,1500}?\"(?:(?:answer|final|correct|best|selected|chosen)[_ ])?(?:choice|option|letter|label)\"\s*:\s*"
    r"\"(?P<label>[^\"]{1,200})\"\s*(?:,[^{}]{0,1500})?\}\W*\Z",
    re.IGNORECASE,
)
BEGINNING = re.compile(r"(?=.*[a-z]{3}|\d)(?!(?:the|and|not|for|with)\b)[\w.]+(?: [\w.]+)?")
"""A word or two that tell something, or a number."""

OPTION = re.compile(r"\b(correct|right|best)\s+(?:option|choice)\s+is\b(?!\s+\S+\s+[–—-])", re.IGNORECASE)
"""What declares a choice as `the correct answer is` does."""
BEFORE_A_SENTENCE = re.compile(r"[\W_]{0,4}(?P<label>[A-Z1-9])[)*_]{0,3}\.[*_]{0,2}\s+(?=[A-Z][a-z]*\s)")
TURNS = re.compile(
    r"\b(?:also|too|either|or|wait|actually|however|no|maybe|perhaps|possibly|sorry|correction|instead)\b",
    re.IGNORECASE,
)


class Pick(NamedTuple):
    """A label and how it was given."""

    label: str
    is_strict: bool
    is_closed: bool = False


class Choice:
    """The checker of multiple-choice answers. `extra["choices"]`: a list of {label, text}.

    Without it the labels are A to J, or 1 to 4 where the gold is one of these.
    """

    name = "Choice"
    at_once = 1

    def check(self, response: str, answer: str, extra: Mapping[str, Any] | None, truncated: bool = False) -> Check:
        """See `tasks.base.Task`."""
        choices = _choices(extra, NUMBERS if clean(answer) in NUMBERS else LETTERS)
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
        pick = pick_label(response, _choices(extra)) or pick_label(response, _choices(extra, NUMBERS))
        return pick.label if pick else None


def pick_label(response: str, choices: dict[str, str]) -> Pick | None:
    """The label that a response picks among choices (label to text)."""
    region = final_part(response)
    if region is None:
        return None
    region = corrected(OPTION.sub(r"\1 answer is", region))
    found = declared_anywhere(region)
    if found is not None and not _begins_echo(found, choices):
        label = alone_label(found.payload, choices)
        if label:
            return Pick(label, is_strict=True, is_closed=found.is_closed)
        label = picked_in_prose(found.payload, choices, is_declared=True) or _by_its_beginning(found.payload, choices)
        label = label or _before_a_sentence(found.payload, choices)
        if label or found.is_closed:
            return Pick(label, is_strict=False, is_closed=found.is_closed) if label else None
    label = alone_label(region, choices)
    if label:
        return Pick(label, is_strict=True)
    whole = region if len(region) <= 2 * TAIL else f"{region[:TAIL]}\n{region[-TAIL:]}"
    label = _keyed(whole, choices) or last_alone(whole, partial(alone_or_text, choices=choices))
    label = label or picked_in_prose(whole, choices) or _by_its_beginning(whole, choices)
    return Pick(label, is_strict=False) if label else None


def _choices(extra: Mapping[str, Any] | None, labels: tuple[str, ...] = LETTERS) -> dict[str, str]:
    """Label to text; without texts where none are known."""
    listed = (extra or {}).get("choices") or [{"label": label, "text": ""} for label in labels]
    return {str(choice["label"]): str(choice["text"]) for choice in listed}


def _gold(answer: str, choices: dict[str, str]) -> str | None:
    """The gold label; None when it is none of those there are."""
    return known_label(clean(answer), choices)


def _keyed(text: str, choices: dict[str, str]) -> str | None:
    """The label that a JSON object at the end of a text calls its choice."""
    found = KEYED.search(text[-TAIL:])
    return alone_label(found["label"], choices) if found else None


def _by_its_beginning(text: str, choices: dict[str, str]) -> str | None:
    """The choice whose text a short text begins, where no other has those words: `igneous` of `igneous rock`."""
    words = plain(without_latex(text))
    if not BEGINNING.fullmatch(words) or UNSAID.search(words):
        return None
    having = [label for label, offered in choices.items() if f" {words} " in f" {plain(offered)} "]
    is_begun = len(having) == 1 and plain(choices[having[0]]).startswith(words)
    return having[0] if is_begun and words.upper() not in choices else None


def _before_a_sentence(text: str, choices: dict[str, str]) -> str | None:
    """The label that a text begins with, where a sentence follows that takes nothing back: `A. The Sun is no cause.`"""
    found = BEFORE_A_SENTENCE.match(text)
    label = known_label(found["label"], choices) if found else None
    return None if found is None or TURNS.search(text, found.end()) or is_echo(text, choices) else label


def _begins_echo(found: Found, choices: dict[str, str]) -> bool:
    """Whether "the answers are:" only introduces the choices."""
    return begins_item(found.payload, choices) and is_echo(f"{found.payload}\n{found.after}", choices)
