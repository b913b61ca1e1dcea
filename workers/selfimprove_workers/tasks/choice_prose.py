"""What prose picks: the choice that it concludes or claims last, opens with, states at its end, or names alone."""

from __future__ import annotations

import re
from functools import partial

from selfimprove_workers.tasks import choice_patterns as patterns
from selfimprove_workers.tasks.assertions import PART, asserted, main_clauses
from selfimprove_workers.tasks.choice_alone import alone_or_text
from selfimprove_workers.tasks.choice_lists import behind_the_list, is_echo, lists_another
from selfimprove_workers.tasks.dress import without_latex
from selfimprove_workers.tasks.lone import first_alone
from selfimprove_workers.tasks.opening import opening

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


def picked_in_prose(text: str, choices: dict[str, str], is_declared: bool = False) -> str | None:
    """The label that a text picks, in the order of this module's first line.

    What a declaration opens with (`is_declared`) only a conclusion takes back: of other choices it may say anything.
    Of prose that goes through the choices what it says behind them counts.
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
    first = partial(first_alone, text, partial(alone_or_text, choices=choices))
    behind = None if is_declared else behind_the_list(text, choices)
    if behind is not None:
        return first() or _concluded(asserted(behind, choices), labels) or _only_named(said, labels)
    stated = _stated(said, labels)
    if stated:
        return stated.pop() if len(stated) == 1 else None
    return first() or _leading(said, choices) or _only_named(said, labels)


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
    return begun == opened and not (lists_another(text, opened, choices) or is_echo(text, choices))


def _concluded(said: str, labels: tuple[str, ...]) -> str | None:
    """What a text that follows a list states at its end or only names."""
    stated = _stated(said, labels)
    return stated.pop() if len(stated) == 1 else _only_named(said, labels)


def _stated(said: str, labels: tuple[str, ...]) -> set[str]:
    """The choices whose texts sentences end with, where the last one does, and one that stands alone."""
    stated = list(patterns.stated(labels).finditer(said))
    if not stated or not ENDS.fullmatch(said, stated[-1].end()):
        return set()
    alone = patterns.text_alone(labels).match(said)
    return {str(match["label"]) for match in (*stated, alone) if match}


def _leading(said: str, choices: dict[str, str]) -> str | None:
    """The label that a text begins with, unless it goes on to the next ones."""
    leading = patterns.leading(tuple(choices)).match(said)
    return leading["label"] if leading is not None and not is_echo(said, choices) else None


def _only_named(said: str, labels: tuple[str, ...]) -> str | None:
    """The only choice that a text names, by its label or by its text, or that its main clauses do."""
    only = (
        _only(patterns.named(labels), said)
        or _only(patterns.in_words(labels), said)
        or _only(patterns.in_words(labels), main_clauses(said))
    )
    return None if only == PART else only


def _only(pattern: re.Pattern[str], text: str) -> str | None:
    found = {match[match.lastgroup or 0] for match in pattern.finditer(text)}
    return found.pop() if len(found) == 1 else None
