"""Answers cleaned of what carries no meaning: markup, spacing, wrappers, and Unicode's other ways to write the same.

Cleaning is for comparing only; it never decides. Every pass is linear, and long texts are not cleaned at all.
"""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 2000
"""A longer answer is no final answer."""

ARROW = re.compile(r"-{1,2}>\s*(?=\S)")
PLAIN = re.compile(r"-?\d+(?:\.\d+)?|[A-Za-z]+", re.ASCII)
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
SIGNS = {
    "−": "-", "–": "-", "‐": "-", "‑": "-", "⁄": "/", "∕": "/", "÷": "/", "×": "\\times ", "·": "\\cdot ",
    "⋅": "\\cdot ", "π": "\\pi ", "∞": "\\infty ", "≤": "\\le ", "≥": "\\ge ", "≠": "\\ne ", "∪": "\\cup ",
    "∩": "\\cap ", "±": "\\pm ", "≈": "\\approx ", "∈": "\\in ", "“": '"', "”": '"', "’": "'", "‘": "'", "％": "%",
}  # fmt: skip
SIGN = re.compile("|".join(map(re.escape, SIGNS)))
REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\left(?![a-z])|\\right(?![a-z])|\\(?:big|Big|bigg|Bigg)[lr]?(?![a-z])|\\displaystyle|\\limits", ""),
        (r"\\(?:text)?color\s*\{[^{}]*\}", ""),
        (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
        (r"\{,\}|(?<=\d),\s?\\!(?:(?=\d)|\s(?=\d{3}(?!\d)))", ","),
        (r"(?<!\\)\\!", ""),
        (r"^\((-?[\d,]+)\)(?=_)", r"\1"),
        (r"(?<=\d)(?:\\,|\\;|\\ |[\u00a0\u2009\u202f])(?=\d{3}(?!\d))", ","),
        (r"(?<!\\)\\[,;: ]|~|\\quad|\\qquad|\\hspace\{[^{}]*\}", " "),
        (r"(?<!\\)\\([%$#&_])", r"\1"),
        (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-z]))|\\degree(?![a-z])|°", " degrees"),
        (
            r"(?:[,;]\s?)?\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|hbox|operatorname)"
            r"\s*\{[\s,;]*and\s*\}",
            ", ",
        ),
        (r"(?:[,;]\s?)?\\(?:text|textrm|mathrm|mbox|hbox)\s*\{[\s,;]*or\s*\}", " or "),
        (r"(?<=[\w)}\]])\s*\\(?:text|textrm|mathrm|mbox|hbox)\s*\{([^{}]*)\}", r" \1"),
        (r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|hbox|emph)\s*\{([^{}]*)\}", r"\1"),
        (r"\s+", " "),
    )
]
LATEX_COMMA = re.compile(r"(?<=\d)(?:\{,\}|\\[,;! ]|,\s?\\!)(?=\d{3}(?!\d))")
"""What LaTeX sets between thousands: `2{,}169`, `2\\,169`."""
MARKED = re.compile(r"[\\~]|  |\{,\}|\)_")
"""What there is in every text that one of these changes."""
GROUPS = r"(?<![\w.,^/'])(?<!\d )[1-9]\d{0,2}(?:(?: \d{3})+|(?:'\d{3})+)(?![\w/']| \d)"
"""Thousands set apart by spaces or apostrophes: `1 000 000`, `1'000`. Digits apart in any other way are no number."""
GROUPED = re.compile(GROUPS, re.ASCII)
SHARES = {"half": 2, "third": 3, "quarter": 4}
AND_A_PART = re.compile(r"(?<![\w.,/])(\d{1,9}) and (?:a|one)[ -](half|third|quarter)\b", re.ASCII | re.IGNORECASE)
"""`2 and a half` is 2 1/2."""
DECORATION = re.compile("(?<=\\S)\\s*[\u2600-\u27bf\U0001f300-\U0001faff\ufe0f]+\\Z")
"""A tick or a smile after an answer."""
POINTER = re.compile("\\A[\u2190-\u21ff\u2600-\u27bf\U0001f300-\U0001faff\ufe0f]+\\s*(?=\\S)")
"""A tick or an arrow before one."""
POWER = re.compile(r"(?<=\d) (squared|cubed)(?!\w| [a-z])", re.IGNORECASE)
"""`5 squared` is 25, and `5 meters squared` and `5 squared meters` are an area."""
PAIRS = [("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ('"', '"'), ("'", "'")]


def clean(text: str) -> str:
    """The text as it is compared: wrappers, spacing and equivalent spellings gone. Idempotent on what it returns."""
    text = text.strip()
    if PLAIN.fullmatch(text) or len(text) > MAX_LENGTH:
        return text
    if not text.isascii():
        text = _ascii(text)
    text = unwrap(ARROW.sub("", text, count=1) if ARROW.match(text) else text)
    if MARKED.search(text):
        for pattern, replacement in REWRITES:
            text = pattern.sub(replacement, text)
    text = GROUPED.sub(lambda found: re.sub("[ ']", ",", found[0]), unwrap(text))
    if text[-1:] == "d" and ("squared" in text or "cubed" in text):
        text = POWER.sub(lambda found: "^2" if found[1][0] in "sS" else "^3", text)
    return AND_A_PART.sub(lambda found: f"{found[1]} 1/{SHARES[found[2].lower()]}", text) if " and " in text else text


def with_plain_commas(text: str) -> str:
    """A text with plain commas between the thousands of its numbers, where LaTeX has its own."""
    return LATEX_COMMA.sub(",", text) if "," in text or "\\" in text else text


def unwrap(text: str) -> str:
    """Without the marks around it: `**$72$.**` is `72`. A factorial's `!` stays."""
    for _ in range(8):
        before = text
        text = text.strip(" \t\r\n*_`#").rstrip(".,;:").rstrip()
        for opening, closing in PAIRS:
            if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
                inner = text[len(opening) : -len(closing)]
                text = text if closing in inner.replace("\\" + closing, "") else inner
        text = _unbraced(text)
        if text == before:
            break
    return text


def _unbraced(text: str) -> str:
    r"""Without `\boxed{...}`, plain braces, or parentheses that hold no comma, around all of it."""
    for opening in ("\\boxed{", "\\fbox{", "{"):
        if text.startswith(opening) and closing_at(text, len(opening) - 1) == len(text):
            return text[len(opening) : -1]
    if text.startswith("(") and "," not in text and closing_at(text, 0) == len(text):
        return text[1:-1]
    return text


BRACKETS = {"{": "}", "(": ")", "[": "]"}


def closing_at(text: str, start: int) -> int:
    """The place after the bracket that closes the one at `start`, of its own kind; -1 when none does."""
    opening, closing = text[start], BRACKETS[text[start]]
    depth, place = 0, start
    while place < len(text):
        mark = text[place]
        if mark == "\\" and opening == "{":
            place += 1
        elif mark == opening:
            depth += 1
        elif mark == closing:
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return -1


def _ascii(text: str) -> str:
    """Unicode's digits, fractions, superscripts and signs as ASCII and LaTeX; invisible characters gone."""
    text = POINTER.sub("", DECORATION.sub("", text))
    text = re.sub(r"(?<=\d)(?=[¼-¾⅐-⅞])", " ", text)
    text = re.sub(r"[⁰¹²³⁴-⁹⁺⁻]+", lambda found: "^{" + found[0].translate(SUPERSCRIPTS) + "}", text)
    text = re.sub(r"√\s*(\d+|[a-z]|\([^()]*\))", lambda found: "\\sqrt{" + found[1].strip("()") + "}", text)
    text = re.sub(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))", ",", text)
    text = unicodedata.normalize("NFKC", SIGN.sub(lambda found: SIGNS[found[0]], text))
    text = "".join(character for character in text if unicodedata.category(character) not in ("Cf", "Cc", "Cn"))
    return SIGN.sub(lambda found: SIGNS[found[0]], text)
