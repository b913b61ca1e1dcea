r"""A calculation in aligned rows that ends a text, as what it comes to: the last side of its last row.

`\begin{aligned}`, `split`, `align*` and their like, between the marks of a display or without them.
"""

from __future__ import annotations

import re

MAX_LENGTH = 4000
"""How far from the end of a text the rows begin at most."""
BEGIN = re.compile(r"(?:(?P<mark>\$\$|\\\[)\s*)?\\begin\{(?P<name>(?:align(?:ed)?|split|gather(?:ed)?|eqnarray)\*?)\}")
AFTER = re.compile(r"\s*[.,]?\s*(?:\$\$|\\\])?\s*\.?\s*\Z")
ROW_END = re.compile(r"\\\\(?:\[[^\]\n]{0,10}\])?")
RELATION = re.compile(r"\A\s*(?:=|\\(?:Rightarrow|implies|therefore)(?![a-zA-Z]))\s*")


def without_rows(text: str, with_bare: bool = True) -> str:
    """A text with the last row of the aligned ones at its end for them all; as it is where it ends with none.

    `with_bare`: also where they stand without the marks of a display. A box among them says more than the last row.
    """
    if "\\end{" not in text[-60:]:
        return text
    *_, begin = [None, *BEGIN.finditer(text, max(0, len(text) - MAX_LENGTH))]
    if begin is None or not (begin["mark"] or with_bare):
        return text
    closing = f"\\end{{{begin['name']}}}"
    end = text.find(closing, begin.end())
    rows = [row for row in ROW_END.split(text[begin.end() : end]) if row.strip()]
    if end < 0 or not AFTER.match(text, end + len(closing)) or not rows or "box" in text[begin.end() : end]:
        return text
    last = rows[-1].replace("&", " ")
    while RELATION.match(last):
        last = RELATION.sub("", last)
    return f"{text[: begin.start()]}\\[{last.strip().rstrip('.,').rstrip()}\\]"
