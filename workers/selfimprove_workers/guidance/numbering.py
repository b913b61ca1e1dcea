"""Numbers of steps and lines, and how many mistakes there are: what a critique says of an attempt, and no values of it.

An honest critique must name them, though the answer may be the same number. An answer that is none, such as `Step 2`,
is looked for in all that is said, and so is a count of what the question asks about.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.equality import Kind, read

_NUMBER = r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)"
_PLACE = r"(?:step|line|part|case|equation|row|sentence|point|bullet|paragraph)"
_COUNTED = r"(?:steps|lines|sentences|equations|parts|mistakes?|errors?)"
_OF_WHAT_KIND = (
    r"(?:(?:separate|different|small|main|such|other|more|wrong|correct|logical|arithmetic|calculation|short)\s+)?"
)
_NO_LABEL_BEFORE = "".join(
    rf"(?<!\b{word}\s)"
    for word in ("first", "second", "third", "last", "final", "next", "this", "that", "each", "both", "these", "all")
)
"""`In the last line 72 is doubled` is no line 72, nor is `in both cases 72` any case."""
_NO_LABEL_AFTER = r"(?!\.\d|,\d|\s?(?!\*\*)[+*/=×÷<>%]|\s?[-−]\s?\d)"
_MARKS = r"[\s*_#]*(?:(?:no|number)\b\.?\s*)?[(*_#]*"
_LABEL = re.compile(
    rf"{_NO_LABEL_BEFORE}\b{_PLACE}{_MARKS}\b{_NUMBER}\b{_NO_LABEL_AFTER}\)?(?:\s(?:and|or|to)\s{_NUMBER}\b)?"
    rf"|{_NO_LABEL_BEFORE}\b{_PLACE}s{_MARKS}\b{_NUMBER}\b{_NO_LABEL_AFTER}\)?(?:(?:\s*,\s*(?:and\s+|or\s+)?|\s*(?:and|or|to|[-–])\s*)\(?{_NUMBER}\b\)?)*"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)\b(?=\s+(?:\w+\s+)?{_PLACE}s?\b)"
    r"|^[ \t*_#>]*\d{1,2}[.)](?=[*_]*\s+[*_]*[A-Za-z])",
    re.IGNORECASE | re.MULTILINE,
)
_COUNT = re.compile(rf"\b{_NUMBER}\s+{_OF_WHAT_KIND}(?P<noun>{_COUNTED})\b", re.IGNORECASE)


def without_numbering(said: str, gold: str, question: str = "") -> str:
    """A critique without the numbers that count or number what the attempt is made of, where the gold is a number."""
    if read(gold).kind not in (Kind.QUANTITY, Kind.ITEMS):
        return said
    asked = question.casefold()
    plain = _COUNT.sub(lambda found: found[0] if found["noun"].casefold().rstrip("s") in asked else " ", said)
    return _LABEL.sub(" ", plain)
