"""A number that the last sentence only comes back to: of `She pays $64 for the 16 glasses` the answer is 64.

What has a definite article is known before, so that it is no answer where another number is said of it. Without the
article nothing tells which of two numbers was asked for (`She drives 10 miles in 2 hours`), and the last one counts.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.numbers import DECIMAL
from selfimprove_workers.tasks.phrases import sentence_begin

REACH = 200
NUMBER = rf"\\?[$€£¥₹]?{DECIMAL}(?:\\?%)?"
SHARES = r"half|halves|third|thirds|quarter|quarters|fourth|fourths|fifth|fifths|tenth|tenths|percent|twice|double"
KNOWN = re.compile(
    rf"(?<!,)(?<!\sand)(?<!\sor)\s(?:(?:for|in|from|on|with|after|among|during|(?!(?:{SHARES})\s)[a-z]{{3,15}}\sof|to\s[a-z]{{2,12}})"
    rf"\sthe\s(?:remaining\s)?{NUMBER}\s(?!(?:and|or|plus|minus|times|is|are|of)\s)[a-z]{{2,20}}"
    rf"|(?:from|of)\sthe\s(?:original|initial)\s{NUMBER}(?:\s[a-z]{{2,20}})?|(?<=\d\s)of\s(?:the|his|her|their)\s{NUMBER}\s[a-z]{{2,20}}"
    rf"|(?<=[a-z]\s)between\s{NUMBER}\sand\s{NUMBER}(?:,?\s\(?inclusive\)?)?"
    rf"|(?<=[a-z]\s)out\sof\s(?:the\s)?{NUMBER}(?:\s[a-z]{{2,20}})?)(?P<rest>[^\d=:;\n]{{0,80}})\Z",
    re.ASCII,
)
"""From a preposition to the end of a text: ` for the 16 glasses she bought.`"""
STATES = re.compile(r"\b(?:is|are|was|were|equals?|gives?|makes?|leaves?|not|so|but)\b|n['’]t\b|\?")
LAST = re.compile(rf"(?<![\w.,/^=+*×÷-]){NUMBER}(?=[^\d]*\Z)", re.ASCII)
MENTIONED = re.compile(
    r"(?:\b(?:for|in|(?<!total\s)(?<!distance\s)(?<!profit\s)(?<!sum\s)(?<!amount\s)of|with|from|after|before|at|by|to|on|per|than|the|these|those|all|both|each|every|other"
    r"|its|her|his|their|our|my|first|last|and|or|but|if|when|until|within|between|over|under|not|half|twice|times)|[+*/×÷=<>(–-]"
    r")\s?[*_$\\]{0,4}\Z",
    re.IGNORECASE,
)
UNSURE = re.compile(
    r"\b(?:if|when|since|because|suppos\w*|assum\w*|not|never|would|cannot|than)\b|n['’]t\b", re.IGNORECASE
)


def without_context(text: str) -> str:
    """A text without the number, known before, that its last sentence ends with; as it is where it ends with none."""
    found = KNOWN.search(text, max(0, len(text) - REACH))
    if found is None or STATES.search(found["rest"]):
        return text
    begin = sentence_begin(text, found.start())
    said = "" if begin is None else text[begin : found.start()]
    number = LAST.search(said)
    return text if number is None or not is_stated(said[: number.start()]) else text[: found.start()]


def is_stated(before: str) -> bool:
    """Whether a number after the beginning of a sentence is what the sentence says, rather than speaks of."""
    return not MENTIONED.search(before) and not UNSURE.search(before)
