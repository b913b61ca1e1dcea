"""A check behind an answer is no part of it: of `x = 17. Check: 3·17 + 4 = 55` the answer is 17.

Only where the check is all that is still said, and puts into an equation the very number that stands before it. Where
it comes to a conclusion, or finds that something is wrong, that conclusion counts as any other.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.numbers import DECIMAL
from selfimprove_workers.tasks.phrases import is_prose

REACH = 1500
"""How far from the end of a text a check may begin."""
MOST = 4
CHECK = re.compile(
    r"(?:\n|[.!?$)\]}][*_]{0,3}\s)[\s>#*_-]{0,8}"
    r"(?:(?:we|you|i)\scan\s|let(?:['’]s|\sus|\sme)\s|to\s)?(?:(?:double|quick|sanity)[-\s])?"
    r"(?:check(?:ing)?|verify(?:ing)?|verification|(?:substitut|plugg)ing\s(?:(?:it|this|that|back|in|into|[a-z]\s?=\s?\d+)\s?){1,4})"
    r"(?:\s(?:this|that|it|(?:the|our|my|this)\s(?:answer|solution|result|work|value)))?"
    r"(?:(?:\sby\s|(?<=\s))[^\n:,=\d]{1,60})?[*_]{0,3}\s?(?:[:,.][*_]{0,3}(?=\s)|\n)",
    re.IGNORECASE,
)
REMARK = re.compile(
    r"\n\s*\n[\s*_(>]{0,6}(?:Note\b(?![^\n]*\b(?:answer|correct|should|actual)\b)[^\n]*|(?:Would|Do|Can|Could)\s(?:you|I|we)\b[^\n]*\?)"
    r"[\s*_)]*\Z"
)
"""A last paragraph that speaks to the reader: `Note: ...`, `Would you like to see 2 more?`"""
CONFIRMS = re.compile(r"[✓✔✅☑]️?[\s*.)]*\Z")
NUMBER = re.compile(rf"(?<![\w.]){DECIMAL}", re.ASCII)
NOT_STATED = re.compile(r"\?|n['’]t\b|\b(?:if|suppos\w*|assum\w*|try\w*|guess\w*|let|not|never)\b", re.IGNORECASE)
CONFIRMED = re.compile(
    r"(?:,?\s(?:so|thus|therefore|hence|which\smeans)\s)?\b(?:which|it|this|that|(?:the|our|my)\s(?:answer|solution|result|value)s?)"
    r"\s(?:is|are|checks?|works?|holds?|matches)(?:\s(?:out|correct|right|true|valid|indeed|verified)\b)*",
    re.IGNORECASE,
)
"""What a check says when it is passed."""
CONCLUDES = re.compile(
    r"[≠✗✘❌?]|\\neq?\b|!=|n['’]t\b|\b(?:so|thus|hence|therefore|answer|wrong|incorrect|mistake|error|not|no|but|wait"
    r"|actually|instead|however|try|should|fails?|oops|sorry|final|correction)\b",
    re.IGNORECASE,
)
SETS = re.compile(rf"(?<![\w^*/+-])[A-Za-z]\$?\s?=\s?\$?[-−]?({DECIMAL})(?!\s?[-+*/×·])", re.ASCII)
"""A variable and its value."""


def without_check(text: str) -> str:
    """A text without the check of its answer, or the remark, that ends it; as it is where it ends with none."""
    remark = REMARK.search(text, max(0, len(text) - REACH)) if text.rfind("\n\n") >= 0 else None
    text = text[: remark.start()] if remark and re.search(r"\d", text[: remark.start()]) else text
    if not may_check(text):
        return text
    for found in list(CHECK.finditer(text, max(0, len(text) - REACH)))[:MOST]:
        if _only_checks(text[: found.start() + 1], text[found.end() :]):
            return text[: found.start() + 1]
    return text


def may_check(text: str) -> bool:
    """Whether a text may end with a check or a remark: quick, and sure where it says no."""
    if "heck" in text or "erif" in text or "ubstituting" in text or "lugging" in text:
        return True
    return text.rfind("\n\n") >= 0 and REMARK.search(text, max(0, len(text) - REACH)) is not None


def _only_checks(before: str, check: str) -> bool:
    """Whether what follows a cue does nothing but put the last number before it into an equation."""
    lines = before.rstrip().rsplit("\n", 1)
    sentence = re.split(r"[.!]\s", lines[-1].rstrip(" .!*$"))[-1]
    numbers = NUMBER.findall(sentence)
    is_checked = CONFIRMS.search(check) or (numbers and numbers[-1] in NUMBER.findall(check) and "=" in check)
    if not numbers or NOT_STATED.search(sentence) or not is_checked:
        return False
    said = CONFIRMED.sub("", check)
    _, *others = re.split(r"\n\s*\n", said.strip())
    if CONCLUDES.search(said) or any(is_prose(other) and re.search(r"\d", other) for other in others):
        return False
    return all(value == numbers[-1] for value in SETS.findall(said))
