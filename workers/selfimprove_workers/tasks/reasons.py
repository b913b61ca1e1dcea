"""What a last sentence says of how its answer was found is no answer: `128, as 50 + 70 = 120 and 5 + 3 = 8`.

A reason (`as`, `because`, `since`), the calculation (`128 is the sum of 55 and 73`), and what was counted, where it is
as much as the number says: `There are 3 divisors: 1, 2, 4`. Only behind a number that the sentence states, and only
where no conclusion follows.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.numbers import DECIMAL
from selfimprove_workers.tasks.phrases import LAST_DIGIT, sentence_begin

REACH = 400
REASONS = (
    "because ",
    "since ",
    ", as ",
    " is the ",
    " are the ",
    "satisfies ",
    ", i.e",
    ", given by ",
    "This is ",
    "To get this",
    "namely",
)
CONDITIONS = (" when ", " if ", " by ", " from ")
OPERATIONS = ("add", "subtract", "multipl", "divid")
STATED = (
    r"(?<![\w.,^/])(?P<number>[*_]{0,2}\$?[-−]?\\?[$€£¥₹]?"
    + rf"(?:(?P<value>{DECIMAL}(?:/\d{{1,9}})?)|\\[dt]?frac\{{\d{{1,9}}\}}\{{\d{{1,9}}\}})"
    + r"%?\$?[*_]{0,2}(?:\s[a-z]{1,15}){0,3}?[*_]{0,2})"
)
BEGINS = r"(?:\A[\s>*_#]{0,6}(?:(?:so|thus|hence|therefore|then|finally),?\s)?)"
GIVEN = (
    rf"(?:{BEGINS}|(?:\b(?:is|are|was|were|be|equals|gets?|got|have|has|gives?|makes?|needs?|costs?|earns?|pays?|takes?|holds?"
    r"|(?:simplifies|reduces|comes)\sto)"
    r"|=)\s(?:exactly\s|only\s|a\stotal\sof\s)?)"
)
REASON = re.compile(
    rf"{GIVEN}{STATED}(?:,?\s(?:because|since)|,\s(?:as|i\.e\.,?|given\sby)"
    r"|\.\s+(?:This\sis\s(?:because|since|found\sby|calculated\sby|obtained\sby)|To\sget\sthis,))\s(?P<rest>[^\n]*)\Z",
    re.IGNORECASE,
)
REFERS_BACK = re.compile(r"\s*(?:This\sis\s(?:because|since|found|calculated|obtained)|To\sget\sthis)\b")
SATISFIES = re.compile(
    rf"{GIVEN}{STATED},?\s(?:(?:which|that)\s)?(?:satisfies|is\s(?:the|a)\s(?:solution|root)\s(?:of|to))\s"
    r"(?P<rest>(?:the\sequation\s)?\S[^\n.;]*)[.\s*]*\Z",
    re.IGNORECASE,
)
CONCLUDES = re.compile(
    r"[:;?]|n['’]t\b|\b(?:so|thus|hence|therefore|then|giving|gives|leaving|leaves|making|makes|answer|we\sget|but"
    r"|not|wait|actually|instead|which|totals?|result)\b",
    re.IGNORECASE,
)
OPERATION = re.compile(
    rf"{GIVEN}{STATED},?\s(?:(?:when|if)\s(?:you|we|i|one)\s(?:add|subtract|multiply|divide)"
    r"|(?:by|from|when|after)\s(?:adding|subtracting|multiplying|dividing)"
    r"|(?:when|if)\s[^.;:\n]{1,40}\s(?:is|are)\s(?:added|subtracted|multiplied|divided))\s(?P<rest>[^\n]*)\Z",
    re.IGNORECASE,
)
DEFINED = re.compile(
    rf"{BEGINS}{STATED}\s(?:is|are)\sthe\s(?:sum|product|difference|quotient|mean|average|median|gcd|lcm"
    r"|(?:greatest|highest)\scommon\s(?:divisor|factor)|least\scommon\smultiple)"
    r"\s(?:of|between)\s(?P<rest>[^\n]*)\Z",
    re.IGNORECASE,
)
CALCULATES_ON = re.compile(r"[=+*/×÷]|\b(?:is|are|equals|and\s(?:get|then))\b")
DENIED = re.compile(r"\b(?:not|if|suppos\w*|assum\w*|than|when|never)\b|n['’]t\b", re.IGNORECASE)

ITEM = r"\$?[-−]?\d{1,9}(?:\.\d{1,9})?\$?"
COUNTED = re.compile(
    rf"(?:\b(?:there\sare|has|have|is)|=)\s(?:exactly\s|only\s)?(?P<number>[*_]{{0,2}}\$?(?P<many>\d{{1,3}})\$?[*_]{{0,2}}(?:\s[a-z-]{{2,20}}){{0,4}}[*_]{{0,2}})"
    rf"(?::|,\snamely:?|(?=\s\()|\.\s(?:they|these|those|the\s(?:[a-z-]{{2,20}}\s){{1,3}})\s?are:?)\s\(?"
    rf"(?P<list>{ITEM}(?:,[ ](?:and[ ])?(?:{ITEM}|\.\.\.|\\l?dots|…)|[ ]and[ ]{ITEM}){{1,60}})[\s.*)]*\Z",
    re.IGNORECASE | re.ASCII,
)
SEPARATOR = re.compile(r",\s(?:and\s)?|\sand\s")


def without_reason(text: str) -> str:
    """A text up to the answer of its last sentence, without how that was found; as it is where nothing says it."""
    return _without_listed(_without_explained(text)) if may_explain(text[-REACH:]) else text


def may_explain(tail: str) -> bool:
    """Whether the end of a text may say how its number was found: quick, and sure where it says no."""
    if any(cue in tail for cue in REASONS) or (", " in tail and (":" in tail or " are" in tail or "(" in tail)):
        return True
    return any(cue in tail for cue in CONDITIONS) and any(stem in tail for stem in OPERATIONS)


def _without_explained(text: str) -> str:
    tail = text[-REACH:]
    last = LAST_DIGIT.search(tail)
    begin = sentence_begin(text, len(text) - len(tail) + last.start()) if last else None
    if begin is None:
        return text
    if REFERS_BACK.match(text, begin):
        begin = sentence_begin(text, len(text[:begin].rstrip()) - 1) or 0
    said = text[begin:].rstrip()
    for pattern in (REASON, OPERATION, DEFINED, SATISFIES):
        found = pattern.search(said)
        if found and not CONCLUDES.search(found["rest"]) and not DENIED.search(said, 0, found.start("number")):
            may_calculate = pattern is not SATISFIES and _calculates_on(found, pattern is REASON)
            return text if may_calculate else text[: begin + found.end("number")]
    return text


def _calculates_on(found: re.Match[str], is_reason: bool) -> bool:
    """Whether what follows a number makes another of it; a reason may say what others come to."""
    if not is_reason:
        return CALCULATES_ON.search(found["rest"]) is not None
    operand = (
        rf"(?<![\d.,]){re.escape(found['value'] or 'frac')}(?![\d.,])[^\S\n]?(?:[-+*/×÷·−]|plus\b|minus\b|times\b)"
    )
    return re.search(operand, found["rest"]) is not None


def _without_listed(text: str) -> str:
    """`There are 3 divisors: 1, 2, 4` without the list, where it has as many items or leaves some out."""
    found = COUNTED.search(text, max(0, len(text) - REACH))
    if found is None:
        return text
    items = SEPARATOR.split(found["list"])
    is_whole = len(items) == int(found["many"])
    return text[: found.end("number")] if is_whole or re.search(r"\.\.\.|dots|…", found["list"]) else text
