"""The one number that the last sentence sets in bold: of `The car travels **120 miles** in 2 hours` 120.

So is the one in bold that what is declared begins with: `The answer is **42** out of 60.`

No label (`**Step 3:**`), nothing that the sentence only speaks of (`the **5 friends** get 12 each`), and nothing that
it goes on to calculate with (`**3 boxes** make 12`).
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.context import is_stated
from selfimprove_workers.tasks.numbers import DECIMAL, SCALES
from selfimprove_workers.tasks.phrases import LAST_DIGIT, last_number, leading_number, sentence_begin

REACH = 240
TAG = re.compile(r"</?(?:b|strong)>", re.IGNORECASE)
SCALED = re.compile(rf"\*\*(?P<number>[$€£¥₹]?{DECIMAL})\*\*(?P<scale>\s(?:{'|'.join(SCALES)})\b)", re.ASCII)
BOLD = re.compile(r"\*\*(?P<said>[^*\n]{1,60})\*\*")
NUMBER = re.compile(DECIMAL, re.ASCII)
LABEL = re.compile(
    r"[:?!.]\Z|\A(?:step|day|part|case|example|option|problem|question|method|week|month|year|round|figure|table|item)\s",
    re.IGNORECASE,
)
LISTED = re.compile(r"\s*(?:[-•*+]|\d{1,2}[.)])\s")
GOES_ON = re.compile(
    r"\s?[:=]|\s[-–—]|.*(?:[=+×÷*/<>≈]|\b(?:is|are|was|were|equals?|gives?|makes?|leaves?|leaving|but|so|then|thus|hence"
    r"|therefore|which|gets?|becomes?|means|(?<!in\s)total|and|or|plus|minus|times|has|have|than)\b[^.]*\d)"
)
"""After a bold number: the sentence says another."""
LEADING = re.compile(r"(?:\*\*|__)?(?P<said>[^\s*_]{1,30})\s?(?:\*\*|__)(?=\s+[A-Za-z(]{2})")
OUT_OF = re.compile(rf"\sout\sof\s(?:(?:the|all|a\stotal\sof)\s)?{DECIMAL}", re.ASCII)
BETWEEN = re.compile(rf"\sbetween\s{DECIMAL}\sand\s{DECIMAL}", re.ASCII)
DURATION = re.compile(r"(\d\s(?:hours?|minutes?|days?|weeks?|months?|years?))\sand\s\d+(?=\s|\Z)", re.ASCII)
"""`2 hours and 30 minutes`."""
PURPOSE = re.compile(r"\s(?:to|for|per)\s|(?<=[A-Za-z]\*\*)\sin\s")
SPENT = re.compile(r"(?:\s(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|dollars?|cents?))?\s(?:to|for|per)\s")
TAKES_HER = re.compile(r"\b(?:takes?|took|costs?)\sher\s?\Z", re.IGNORECASE)
"""`It takes her **5 hours** to read`, where `her **5 friends**` are only spoken of."""
IS = re.compile(r"\b(?:is|are|was|were|be|equals)\s\Z", re.IGNORECASE)
CONDITION = re.compile(
    r"\s(?:when|at)\s"
    r"(?:(?!\b(?:so|then|thus|hence|therefore|which|but|and|giving|making|total|not)\b)"
    r"(?:[^,;:=+*/×÷]|(?<=\b[a-zA-Z]\s)=))*\Z"
)
"""After `is **2**`, to the end: ` when 100 is divided by 7`, ` at x = 2`."""
CHECKED = re.compile(r"\s\((?P<first>\d[\d,.]*)[^()\n,;]{1,60}?(?<![\d.,])(?P<last>\d[\d,.]*)\Z", re.ASCII)
"""` (100 = 7 × 14 + 2`."""


def in_bold(text: str) -> str:
    """A text with its HTML tags for bold as Markdown has it, and with all of a number in bold: `**50** million`."""
    text = TAG.sub("**", text) if "<" in text else text
    return SCALED.sub(r"**\g<number>\g<scale>**", text) if "** " in text else text


def leading_bold(phrase: str) -> str | None:
    """The number in bold that a declared phrase begins with, where it goes on to no other; its first marks may lack."""
    found = LEADING.match(phrase)
    if found is None or "**" in phrase[found.end() :]:
        return None
    return leading_number(found["said"] + OUT_OF.sub(" of them", phrase[found.end() :]))


def emphasised(text: str) -> str | None:
    """The number in bold that is what the last sentence with a number says; None where none surely is."""
    last = LAST_DIGIT.search(text, max(0, len(text) - REACH)) if "**" in text[-REACH:] else None
    begin = sentence_begin(text, last.start()) if last else None
    if last is None or begin is None:
        return None
    spans = [span for span in BOLD.finditer(text, begin) if NUMBER.search(span["said"])]
    if len(spans) != 1 or spans[0].end() > last.start() or len(NUMBER.findall(spans[0]["said"])) > 1:
        return None
    span, before, after = spans[0], text[begin : spans[0].start()], text[spans[0].end() : last.end()]
    after = DURATION.sub(r"\1", BETWEEN.sub(" between them", after))
    number = NUMBER.search(span["said"])
    is_on = GOES_ON.match(after) and not (number and IS.search(before) and _is_added(after, number[0]))
    if LABEL.search(span["said"]) or is_on or LISTED.match(text, text.rfind("\n", 0, begin) + 1):
        return None
    is_purpose = PURPOSE.match(text, span.end()) is not None
    is_spent = TAKES_HER.search(before) is not None and SPENT.match(after) is not None
    before += span["said"][: number.start()] if number else ""
    is_said = is_stated(before) or is_spent if before.strip(" $\\€£") else is_purpose
    return last_number(span["said"]) if is_said else None


def _is_added(after: str, number: str) -> bool:
    """Whether what follows what something is says when it is so, or checks it from another number on."""
    checked = CHECKED.match(after)
    return CONDITION.match(after) is not None or bool(checked and checked["first"] != number == checked["last"])
