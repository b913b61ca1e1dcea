"""An answer in words without its dress: bold, quotes, code and formula marks, a box, a full stop, LaTeX.

For answers that a scorer or a reader compares as texts. What may be a part of them stays: a hash, a bracket, a line of
underscores, a star on one side only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST = 8
MAX_LENGTH = 2000
"""A longer text is no answer that somebody has dressed, but for a grid or a list, whose ends alone are looked at."""
PAIRS = [
    ("**", "**"), ("*", "*"), ("```", "```"), ("`", "`"), ("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"),
    ('"', '"'), ("“", "”"), ("'", "'"), ("‘", "’"), ("«", "»"),
]  # fmt: skip
STOP = re.compile(r"(?<=[\w)\]}\"'”’*`$%°])[.!,;:]\Z")
COMMAND = re.compile(r"\\(?:boxed|fbox|text(?:bf|it|rm|tt)?|math(?:rm|bf|it)|mbox|emph)\s*\{([^{}]*)\}")
REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (COMMAND.pattern, r"\1"),
        (r"\\[dt]?frac\s*\{([^{}]{1,40})\}\s*\{([^{}]{1,40})\}", r"\1/\2"),
        (r"\s*\\(?:times|cdot)(?![a-zA-Z])\s*", " × "),
        (r"\\(?:left|right)(?![a-zA-Z])|\\!|\\\(|\\\)|\$", ""),
        (r"\\[,;: ]|~", " "),
        (r"\\([%&#_])", r"\1"),
        (r"[^\S\n]+", " "),
    )
]
PRODUCT = re.compile(r"(?<=[\d)])\s*(?:×|·|(?<!\*)\*(?!\*)|\bx\b)\s*(?=[\d(])|(?<=\d)\s+x\s+(?=\d)")
SEVERAL = re.compile(r"(?<=[^\s*])\*\*\s[^*]*\s\*\*(?=[^\s*])")
"""Between two bold spans, which are no span together: `**a** or **b**`. `x**2 - 3*y**2` holds none."""
PLAIN_WORD = re.compile(r"[A-Z]?[a-z]+")
"""A word as it stands in a sentence, whose case says nothing: `Yes`, `false`, and not `aBc`."""

DETERMINER = re.compile(
    r"(?:(?i:the|an?|his|her|its|their|my|your|our)|[A-Z][a-z]{1,20}(?:['’]s|(?<=s)['’]))\s+(?=[A-Za-z]+\Z)"
)
"""Before one word that is an answer in a sentence: `the wife`, `Bob's wife`."""
OF_SOMEBODY = re.compile(r"(?<=\w)\sof\s[A-Z][a-z]{1,20}\Z")


def undressed(text: str) -> str:
    """A text without the marks around it."""
    for _ in range(MOST):
        before, text = text, STOP.sub("", text.strip())
        for opening, closing in PAIRS:
            if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
                inner = text[len(opening) : -len(closing)]
                text = inner if closing not in inner or (opening == "**" and not SEVERAL.search(text)) else text
        command = COMMAND.fullmatch(text) if len(text) <= MAX_LENGTH else None
        text = command[1] if command else text
        if text == before:
            break
    return text


def without_latex(text: str) -> str:
    """A text with plain words and signs for those of LaTeX, as far as they have any."""
    for pattern, replacement in REWRITES if ("\\" in text or "$" in text) and len(text) <= MAX_LENGTH else ():
        text = pattern.sub(replacement, text)
    return text.strip()


def spellings(text: str) -> Iterator[str]:
    """An answer in the spellings that a scorer may want, as it is first: undressed, in plain signs, `×` and `*`."""
    bare = undressed(text)
    plain = undressed(without_latex(bare))
    yield from (text.strip(), bare, _trimmed(text), plain)
    if len(plain) <= MAX_LENGTH and PRODUCT.search(plain):
        yield from (PRODUCT.sub(sign, plain) for sign in (" × ", "*"))


def one_spelling(text: str) -> str:
    """The one spelling of an answer that is counted: undressed, in plain signs, a word of no case or article."""
    plain = PRODUCT.sub(" × ", undressed(without_latex(undressed(_trimmed(text))))[:MAX_LENGTH])
    lines = "\n".join(" ".join(line.split()) for line in plain.splitlines())
    word = DETERMINER.sub("", lines)
    return word.casefold() if PLAIN_WORD.fullmatch(word) else lines


def _trimmed(text: str) -> str:
    """A text without marks at either end, of which the other may have gone with the words before it."""
    marks = " *" + "".join(mark for mark in "`$" if text.count(mark) == 1)
    return text if SEVERAL.search(text) else text.strip(marks).rstrip(".").strip(marks)


def same_word(one: str, other: str) -> bool:
    """Whether two texts are the same plain word, in capitals or not, the other with an article or without."""
    said = undressed(other)
    said = OF_SOMEBODY.sub("", said) if said.startswith("the ") else said
    return PLAIN_WORD.fullmatch(one) is not None and DETERMINER.sub("", said).casefold() == one.casefold()
