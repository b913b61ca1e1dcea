"""An answer that a text begins with, which what comes after it only explains: `7`, then a line `Explanation: ...`.

Or which the numbers behind it come to: `12. He had 20 apples and gave away 8.`
"""

from __future__ import annotations

import re
from fractions import Fraction

from selfimprove_workers.tasks.context import is_stated
from selfimprove_workers.tasks.numbers import DECIMAL, plain
from selfimprove_workers.tasks.reasons import GIVEN

MAX_EXPLANATION = 1500
MAX_FIRST = 200
"""Where the first line ends at most, with the space before it."""
HEADING = r"[*#_]{0,4}\s?(?:Explanation|Reasoning|Breakdown|Working|Work|How\s(?:I|we|to|it)|Here['’]s\show)\b"
EXPLAINED = re.compile(rf"\s*(?P<answer>\S[^\n]{{0,80}})\n\s*{HEADING}")
BY_A_PARAGRAPH = re.compile(
    r"\s*(?P<answer>(?!\W{0,6}Explanation\b)\S[^\n]{0,80}(?<![:?\s]))[^\S\n]*\n\s*[*#_]{0,4}\s?(?:(?:Explanation|Verification|Check)[*_]{0,3}:|This\s(?:equals|gives|evaluates|uses|works)\b)[^\n]*"
    r"(?:\n(?!\s*\n)[^\n]*)*\Z"
)
"""Up to the end of the text, so that no other paragraph can hold another answer."""
FEWEST_WORDS = 4
"""A shorter last line may be the answer itself."""
NUMBER = re.compile(rf"(?<![\w.,/^]){DECIMAL}(?![\w/^]|[.,]\d)", re.ASCII)
BARE = re.compile(
    rf"\s*(?P<answer>[*_]{{0,2}}\\?[$€£¥₹]?(?P<number>{DECIMAL})[*_]{{0,2}}(?:\s[a-z]{{2,15}}){{0,2}}[*_]{{0,2}})"
    r"(?:[.,]\s+|\s[-–—]\s|[^\S\n]*\n\s*)(?=[A-Za-z][a-z'’]*,?\s)",
    re.ASCII,
)
LISTED = re.compile(r"\A\s*1[.)]|\n\s*(?:\d{1,2}[.)]|[-•*+|])\s")
COMES_TO_ANOTHER = re.compile(
    r"\b(?:left|remains?|now|thus|hence|therefore|then|total|altogether|wait|actually|no|not|but|sorry|wrong|correct\w*|answer)\b|\?|n['’]t\b",
    re.IGNORECASE,
)
SUBJECT = re.compile(r"\W*[A-Za-z'’]+\s[A-Za-z'’]+")
LABEL = re.compile(r"\b(?:step|question|problem|part|case|example|exercise|option)\s\Z", re.IGNORECASE)
STATED = re.compile(rf"{GIVEN}[*_$€£]{{0,4}}\Z", re.IGNORECASE)


def explained_answer(text: str) -> str | None:
    """What the first line of a text says, where the next one begins to explain it, or its numbers come to it."""
    found = EXPLAINED.match(text)
    return found["answer"] if found else _accounted_for(text)


def explained_number(text: str) -> str | None:
    """The only number of such a line that is a sentence, where it states it: `She makes $18 a day.`"""
    found = EXPLAINED.match(text)
    numbers = list(NUMBER.finditer(found["answer"])) if found else []
    before = found["answer"][: numbers[0].start()] if found and len(numbers) == 1 else ""
    if found is None or not SUBJECT.match(before) or LABEL.search(before) or not is_stated(before.rstrip(" *$\\")):
        return None
    return None if COMES_TO_ANOTHER.search(text, found.end()) else found["answer"]


def may_be_explained(text: str) -> bool:
    """Whether a text may begin with its answer: quick, and sure where it says no."""
    if 0 <= text.find("\n", 1) <= MAX_FIRST and EXPLAINED.match(text):
        return True
    return not text[:1].isalpha() and BARE.match(text) is not None


def explained_claim(text: str) -> str | None:
    """The same for an answer in words: only where nothing but one paragraph, that begins so, comes after it."""
    found = BY_A_PARAGRAPH.match(text.rstrip())
    last = text.rstrip().rsplit("\n", 1)[-1]
    return found["answer"] if found and (last.startswith("This ") or len(last.split()) >= FEWEST_WORDS) else None


def _accounted_for(text: str) -> str | None:
    """A number that a text begins with alone, which the last two of what follows in prose come to."""
    found = BARE.match(text)
    rest = text[found.end() :] if found else ""
    if found is None or len(rest) > MAX_EXPLANATION or LISTED.search(text) or COMES_TO_ANOTHER.search(rest):
        return None
    one, other = [None, None, *NUMBER.finditer(rest)][-2:]
    if one is None or other is None or STATED.search(rest, 0, other.start()):
        return None
    is_spoken_of = not is_stated(rest[: other.start()].rstrip("*$\\"))
    values = plain(found["number"]), plain(one[0]), plain(other[0])
    return found["answer"] if _come_to(*values, is_spoken_of) else None


def _come_to(value: Fraction | int, one: Fraction | int, other: Fraction | int, is_spoken_of: bool) -> bool:
    """Whether a number is what two others come to, and the last of them not what the number and the first come to.

    Of `20 apples. He eats 8, leaving 12` 20 is a sum as well: so that one, and a product, only of a last number that is
    spoken of.
    """
    if value in (one - other, Fraction(one) / other if other else None):
        return True
    return is_spoken_of and value in (one + other, one * other)
