"""Which letters in a text are a formula's own, as in `x`, `xy`, `sin x` and `theta`, and which are words, that end it.

A word taken for a symbol makes a formula longer, and equal to nothing. A symbol taken for a word would leave a part of
the formula, which may equal the gold: of `2 - xy` the 2. So letters are words only where they surely are.
"""

from __future__ import annotations

import re

from selfimprove_workers.tasks.products import SHORT_WORDS
from selfimprove_workers.tasks.units import CANONICAL, FUNCTIONS

GREEK = "alpha|beta|gamma|delta|epsilon|theta|lambda|mu|rho|sigma|tau|phi|chi|psi|omega"
NAMES = rf"(?:{'|'.join(sorted(FUNCTIONS))}|arcsin|arccos|arctan|sinh|cosh|tanh|cot|csc|inf|infinity|{GREEK})"
WORD = (
    rf"(?:(?!{NAMES}[a-z]?(?![A-Za-z]))(?![A-Z]{{1,4}}(?![A-Za-z]))"
    rf"(?:(?i:{SHORT_WORDS.pattern})(?![A-Za-z])|(?![abcxyz]+(?![A-Za-z]))(?=[A-Za-z]*[aeiouAEIOU])[A-Za-z]{{3}}))"
)
PROSE = rf"(?:{WORD}|[aAI]['’\s]\s?{WORD})"
"""Where a word begins, or an article before one."""
LETTERS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]+")
ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[a-z*]{1,20}\}")
BEGINS_WORD = re.compile(WORD)
UNIT_NAMES = "|".join(sorted(word for word in CANONICAL if word.isalpha() and len(word) > 1))
MULTIPLIED = re.compile(
    rf"(?:[^\S\n]?[-−–+*/×·]{{1,2}}[^\S\n]?|[^\S\n](?=\([a-zA-Z]\s?[-−+*/^)²³]))(?!{PROSE}|(?:{UNIT_NAMES})\b)\(?[a-zA-Z]{{1,11}}(?![a-zA-Z])"
    rf"|[^\S\n](?:{'|'.join(sorted(FUNCTIONS))})\s?\(?[a-z](?![a-z])"
)
"""From a number to a symbol that is taken from it, added to it or multiplied with it: ` - x`, ` (x + 3)`, ` sin x`."""


def words_of(text: str) -> list[str]:
    """The words of a text, without the symbols and LaTeX commands of its formulas."""
    return [letters for letters in LETTERS.findall(ENVIRONMENT.sub("", text)) if BEGINS_WORD.match(letters)]
