"""An answer of several values, told one by one: `One root is 2. The other is 5.` tells `2, 5`.

Small numbers stand everywhere, so a value counts only where it is told as a result: after `=`, `is`, `the root`, before
`is the other one`, or in a row with one that is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from selfimprove_workers.tasks.equality import read
from selfimprove_workers.tasks.numbers import spelled

Span = tuple[int, int]

_REACH = 60
"""Characters before and after a value that may tell it."""
_TOLD_BEFORE = re.compile(
    r"""
    (?: [=≈<>≤≥:] | \\(?:leq?|geq?|approx)\b
      | (?<!\bthere\s)\b(?:is|are|be|was|were|equals?|gets?|got|gives?|yields?|becomes?|makes?)\b
      | \b(?:roots?|solutions?|values?|zeros?|coordinates?|endpoints?|bounds?|other|found|missed|forgot|try)\b
      | \b(?:at\s+(?:least|most)|between|from|(?:up|down)\s+to|than|above|below|vanishes\s+at)\b
    )
    [\s$({\[*\\,:]{0,8}
    (?:(?:either|both|just|only|then|also|exactly|simply|really|actually|thus|equal\s+to|at)[\s$({\[*\\]{1,6})?
    \Z
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TOLD_AFTER = re.compile(
    r"[\s$)\\*]{0,4}(?:[<>≤≥]|\\(?:leq?|geq?|lt|gt)(?![a-zA-Z]))"
    r"|[\s$)\\*,]{0,6}\b(?:is|are)\s+(?:an?|the|one|also|another|right|correct|missing)\b"
    r"|[\s$)\\*,]{0,6}\b(?:works?|solves?)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"[}\s]{0,3}(?:[-+*/^×÷·−(]|\\(?:cdot|times|div|sqrt|pi)\b)\s*\S|[a-zA-Z](?![a-zA-Z])")
"""No value yet: 2 of `x = 2 + 3`, `2/3`, `2y`."""
_IN_A_ROW = re.compile(r"(?:[\s,;$}{\\]|and\b|or\b|to\b|up\b|also\b|then\b|text\b|q?quad\b|\d){0,16}")


_FORMULA = re.compile(r"\\(?:sqrt|pi|[dt]?frac|cup)(?![a-zA-Z])|[√π∪]")
_UNION = re.compile(r"\\cup(?![a-zA-Z])|∪")
_INFINITE = re.compile(r"\\infty|∞")
_NO_PAIR = re.compile(r"\\(?:in|cap|text|begin)(?![a-zA-Z])|(?<![\\A-Za-z])[A-Za-z]{3,}|[=<>]")
_BRACKETS = re.compile(r"^\s*(?:\\left\s*)?(?:\\\{|[(\[])|(?:\\right\s*)?(?:\\\}|[)\]])\s*$")


def values_of(gold: str) -> list[str]:
    """The values of a list, pair or set, numbers without their units and formulas as written; of anything else none."""
    items = read(gold).items
    return [spelled(value) for value in items.values] if items else _parts(gold)


def _parts(gold: str) -> list[str]:
    r"""The parts of a pair or list of which some are formulas, and the finite ends of intervals.

    `3\sqrt{2}` and `\frac{7\pi}{4}`; -1 and 4 of `(-\infty,-1)\cup(4,\infty)`.
    """
    if _NO_PAIR.search(gold) or _FORMULA.search(gold) is None:
        return []
    sets = [_BRACKETS.sub("", each) for each in _UNION.split(gold)]
    parts = [part.strip() for each in sets for part in each.split(",") if not _INFINITE.search(part)]
    return parts if len(parts) > 1 and all(parts) and all(map(_is_whole, parts)) else []


def _is_whole(part: str) -> bool:
    """Whether brackets and braces close within a part."""
    return all(part.count(opening) == part.count(closing) for opening, closing in ("()", "[]", "{}"))


def told_spans(text: str, spans: Iterable[Span]) -> list[Span]:
    """Those of the places where an answer's values stand that tell them, in order."""
    values = [span for span in sorted(set(spans)) if not _GOES_ON.match(text, span[1])]
    told = {span for span in values if _is_told(text, *span)}
    for order in (values, values[::-1]):  # on from a told one, and back from one
        near: Span | None = None
        for span in order:
            if span in told or (near and _is_in_a_row(text, *sorted((near, span)))):
                told.add(span)
                near = span
    return sorted(told)


def last_told(text: str, values: Sequence[tuple[int, Sequence[Span]]]) -> int:
    """Where the last of several values is first told, the text's length where one is not.

    `values`: how often the answer has each, which must be told as often, and where it stands.
    """
    told = set(told_spans(text, (span for _, spans in values for span in spans)))
    firsts = [(sorted(start for start, stop in set(spans) if (start, stop) in told), many) for many, spans in values]
    return max((starts[many - 1] if len(starts) >= many else len(text) for starts, many in firsts), default=len(text))


def _is_in_a_row(text: str, one: Span, other: Span) -> bool:
    return one[1] <= other[0] and _IN_A_ROW.fullmatch(text, one[1], other[0]) is not None


def _is_told(text: str, start: int, stop: int) -> bool:
    before, after = text[max(0, start - _REACH) : start], text[stop : stop + _REACH]
    return bool(_TOLD_BEFORE.search(before) or _TOLD_AFTER.match(after))
