"""Choice: one of the labels that the question offers (`A` to `J`, or `1` to `4`).

Flexible reads the label in the channels of `extract`, in English or not (`abroad`), else one that is the last line
(`lone`), else the last one concluded ("so B") or claimed ("option B is correct"), the one that it opens with ("B)
because", `opening`), one that its last sentence ends with by its text, or the only one that it names, or that its main
clauses do, by its label or by its full text; a short text may be only the beginning of one choice's. What a declaration
opens with only a conclusion takes back. What is denied, asked, supposed, listed or said of others ("many choose D"), or
only a part of a longer name (salt water is not water), counts nowhere (`assertions`). Strict asks for the label (its
text may follow) in a declared channel or as the whole response; else strict is NoAnswer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from selfimprove_workers.tasks import choice_patterns as patterns
from selfimprove_workers.tasks.abroad import declared_anywhere
from selfimprove_workers.tasks.assertions import PART, UNSAID, asserted, main_clauses, plain
from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.tasks.corrections import corrected
from selfimprove_workers.tasks.dress import without_latex
from selfimprove_workers.tasks.extract import Found, final_part
from selfimprove_workers.tasks.lone import first_alone, last_alone
from selfimprove_workers.tasks.opening import lists_another, opening
from selfimprove_workers.tasks.text import MAX_LENGTH, clean

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


BEFORE_A_SENTENCE = re.compile(r"[\W_]{0,4}(?P<label>[A-Z1-9])[)*_]{0,3}\.[*_]{0,2}\s+(?=[A-Z][a-z]*\s)")
CONCLUDES = re.compile(r"\b(?:so|thus|hence|therefore|conclude|must|correct|right|correction)\b", re.IGNORECASE)
ENDS = re.compile(r"[\s.*!]*")
THEREFORE = re.compile(r"\b(?:so|thus|hence|therefore|conclude)\b", re.IGNORECASE)
SUPPOSED = re.compile(
    r"(?<!\bi )\b(?:would|might|may|could|looks?|seems?|sounds?|appears?|although|though|while)\b", re.IGNORECASE
)
OF_OTHERS = re.compile(
    r"\b(?:people|students?|test[- ]takers?|learners|others)\s(?:\w+\s)?(?:think|say|choose|pick|select|believe|assume"
    r"|guess|might|may|would|often|tend|confuse)\b|\b(?:error|misconception|tempt\w+)\b"
    r"|\b(?:many|some|most|one|you)\s(?:\w+ly\s)?(?:(?:might|may|would|could)\s)?(?:be\s)?(?:tempted|think|choose|pick|say)\b"
    r"|\beasy to\s(?:pick|choose|say|think|assume)\b",
    re.IGNORECASE,
)
"""What tells that a clause says what somebody else would choose."""
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
    region = corrected(region)
    found = declared_anywhere(region)
    if found is not None and not _begins_echo(found, choices):
        label = _alone(found.payload, choices)
        if label:
            return Pick(label, is_strict=True, is_closed=found.is_closed)
        label = _asserted(found.payload, choices, is_declared=True) or _by_its_beginning(found.payload, choices)
        label = label or _before_a_sentence(found.payload, choices)
        if label or found.is_closed:
            return Pick(label, is_strict=False, is_closed=found.is_closed) if label else None
    label = _alone(region, choices)
    if label:
        return Pick(label, is_strict=True)
    whole = region if len(region) <= 2 * TAIL else f"{region[:TAIL]}\n{region[-TAIL:]}"
    label = _keyed(whole, choices) or last_alone(whole, partial(_alone_or_text, choices=choices))
    label = label or _asserted(whole, choices) or _by_its_beginning(whole, choices)
    return Pick(label, is_strict=False) if label else None


def _choices(extra: Mapping[str, Any] | None, labels: tuple[str, ...] = LETTERS) -> dict[str, str]:
    """Label to text; without texts where none are known."""
    listed = (extra or {}).get("choices") or [{"label": label, "text": ""} for label in labels]
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
    bare = _known(cleaned.strip("()[]! "), choices)
    if bare:
        return bare
    match = re.fullmatch(r"\(?\[?(\w{1,2})[)\].:]+\s*(.+)", cleaned, re.DOTALL)
    label = _known(match[1], choices) if match else None
    same = label and match and choices[label] and plain(match[2]) == plain(choices[label])
    return label if same else None


def _alone_or_text(text: str, choices: dict[str, str]) -> str | None:
    """The label, when a line is that or its choice's text and nothing else."""
    texts = [plain(offered) for offered in choices.values()]
    words = plain(text) if len(text) <= MAX_LENGTH else ""
    by_text = words and texts.count(words) == 1 and words.upper() not in choices
    return tuple(choices)[texts.index(words)] if by_text else _alone(text, choices)


def _keyed(text: str, choices: dict[str, str]) -> str | None:
    """The label that a JSON object at the end of a text calls its choice."""
    found = KEYED.search(text[-TAIL:])
    return _alone(found["label"], choices) if found else None


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
    label = _known(found["label"], choices) if found else None
    return None if found is None or TURNS.search(text, found.end()) or _is_echo(text, choices) else label


def _asserted(text: str, choices: dict[str, str], is_declared: bool = False) -> str | None:
    """The last choice that a text concludes or claims, else what it opens with, states at its end, or only names.

    What a declaration opens with (`is_declared`) only a conclusion takes back: of other choices it may say anything.
    """
    text = without_latex(text) if "\\" in text else text
    said, labels = asserted(text, choices), tuple(choices)
    if patterns.another(labels).search(said):
        return None
    opened = opening(text if is_declared else said, choices, by_text=is_declared)
    claimed = _claimed(said, labels, conclusions_only=opened is not None and is_declared)
    if claimed:
        return claimed
    if opened and (is_declared or _is_all_its_own(text, opened, choices)):
        return opened
    stated = _stated_at_an_end(said, choices)
    if stated:
        return stated[-1] if len(set(stated)) == 1 else None
    first = first_alone(text, partial(_alone_or_text, choices=choices))
    if first:
        return first
    leading = patterns.leading(labels).match(said)
    if leading is not None and not _is_echo(said, choices):
        return leading["label"]
    only = (
        _only(patterns.named(labels), said)
        or _only(patterns.in_words(labels), said)
        or _only(patterns.in_words(labels), main_clauses(said))
    )
    return None if only == PART else only


def _claimed(said: str, labels: tuple[str, ...], conclusions_only: bool) -> str | None:
    """The last choice that is concluded (`so B`), else the last one claimed; of others' choices none."""
    claims = [found for found in patterns.claim(labels).finditer(said) if not OF_OTHERS.search(_clause(found))]
    concluded = [found for found in claims if _concludes(found)]
    if not conclusions_only:
        concluded = [found for found in concluded if THEREFORE.search(_clause(found))] or claims
    return concluded[-1][concluded[-1].lastgroup or 0] if concluded else None


def _concludes(claim: re.Match[str]) -> bool:
    """Whether a claim is a conclusion of its own, which may take a declared answer back: `so it must be C`."""
    clause = _clause(claim)
    return CONCLUDES.search(clause) is not None and SUPPOSED.search(clause) is None


def _clause(claim: re.Match[str]) -> str:
    """The clause of a claim, up to its end."""
    return claim.string[claim.string.rfind("\n", 0, claim.start()) + 1 : claim.end()]


def _is_all_its_own(text: str, opened: str, choices: dict[str, str]) -> bool:
    """Whether an undeclared response begins with this label itself, and goes through no others."""
    begun = opening(text, choices, by_text=False)
    return begun == opened and not (lists_another(text, opened, choices) or _is_echo(text, choices))


def _stated_at_an_end(said: str, choices: dict[str, str]) -> list[str]:
    """The labels of the choices' texts that sentences end with, where the last one does, and one that stands alone."""
    labels = tuple(choices)
    stated = list(patterns.stated(labels).finditer(said))
    if not stated or not ENDS.fullmatch(said, stated[-1].end()):
        return []
    alone = patterns.text_alone(labels).match(said)
    return [found["label"] for found in (*stated, alone) if found]


def _only(pattern: re.Pattern[str], text: str) -> str | None:
    found = {match[match.lastgroup or 0] for match in pattern.finditer(text)}
    return found.pop() if len(found) == 1 else None


def _begins_echo(found: Found, choices: dict[str, str]) -> bool:
    """Whether "the answers are:" only introduces the choices."""
    is_item = patterns.item(tuple(choices)).match(found.payload) is not None
    return is_item and _is_echo(f"{found.payload}\n{found.after}", choices)


def _is_echo(text: str, choices: dict[str, str]) -> bool:
    """Whether the lines of a text go through the choices one by one, as the question does."""
    labels = tuple(choices)
    begun = tuple(match["label"] for match in patterns.item(labels).finditer(text))
    return len(begun) > 1 and begun == labels[: len(begun)]
