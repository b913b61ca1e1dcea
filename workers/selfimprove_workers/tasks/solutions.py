r"""Several solutions in one text: each under the same name (`x = a or x = b`), or two by a sign (`\frac{1 \pm a}{2}`).

Computer algebra reads neither: of the first it takes an equation whose other side is one, the second not at all.
"""

from __future__ import annotations

import re

BETWEEN = re.compile(r"[(\[{]|[)\]}]|,?\s+(?:and|or)\s+|,\s*")
NAMED = re.compile(r"(?P<name>[A-Za-z])(?:_\{?\d\}?)?\s*=(?P<value>[^=<>]+)")
SET = re.compile(r"(?P<opens>\\\{)(?P<inner>.*)(?P<closes>\\\})")
PLUS_OR_MINUS = re.compile(r"\\pm(?![A-Za-z])")
MINUS_OR_PLUS = re.compile(r"\\mp(?![A-Za-z])")


def unnamed(text: str) -> str:
    """The values of a list that gives them one name, `a, b` of `x_1 = a, x_2 = b`; any other text as it is."""
    if text.count("=") < 2:
        return text
    found = [NAMED.fullmatch(part.strip()) for part in parts(text)]
    named = [each for each in found if each is not None]
    if len(named) < len(found) or len({each["name"] for each in named}) > 1:
        return text
    return ", ".join(each["value"].strip() for each in named)


def with_both_signs(latex: str) -> str:
    r"""A list with `\pm` inside of brackets written out: `{1+a}/2, {1-a}/2`. Outside of any it can be read."""
    whole = SET.fullmatch(latex)
    if whole is not None:
        return f"{whole['opens']}{with_both_signs(whole['inner'])}{whole['closes']}"
    if not PLUS_OR_MINUS.search(latex):
        return latex
    return ", ".join(either for part in parts(latex) for either in _eithers(part))


def parts(text: str) -> list[str]:
    """What stands between the commas, `and` and `or` that no bracket holds."""
    found, depth, start = [], 0, 0
    for mark in BETWEEN.finditer(text):
        if mark[0] in "([{":
            depth += 1
        elif mark[0] in ")]}":
            depth -= 1
        elif not depth:
            found.append(text[start : mark.start()])
            start = mark.end()
    return [*found, text[start:]]


def _eithers(part: str) -> list[str]:
    signs = list(PLUS_OR_MINUS.finditer(part))
    if len(signs) != 1 or not _is_within(part, signs[0].start()):
        return [part]
    plus, minus = (MINUS_OR_PLUS.sub(other, PLUS_OR_MINUS.sub(sign, part)) for sign, other in ("+-", "-+"))
    return [plus, minus]


def _is_within(text: str, place: int) -> bool:
    """Whether a bracket is open there."""
    return sum(map(text[:place].count, "([{")) > sum(map(text[:place].count, ")]}"))
