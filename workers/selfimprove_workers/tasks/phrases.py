"""The final answer inside a sentence: what tolerant grading takes when the answer is not alone on its line."""

from __future__ import annotations

import re
from collections.abc import Set
from itertools import pairwise
from typing import NamedTuple

from selfimprove_workers.tasks.forms import form_of
from selfimprove_workers.tasks.numbers import DECIMAL, read_quantity
from selfimprove_workers.tasks.outcomes import calculates_on, is_calculation
from selfimprove_workers.tasks.sums import is_unevaluated
from selfimprove_workers.tasks.symbols import PROSE, UNIT_NAMES
from selfimprove_workers.tasks.terms import is_unit_power, term_of
from selfimprove_workers.tasks.text import GROUPS, clean
from selfimprove_workers.tasks.units import CANONICAL, NO_UNIT, units_differ
from selfimprove_workers.tasks.wholes import is_denied, may_be_a_part, whole_of

BESIDE, NEAR, TAIL, EDGE = 96, 240, 4000, 60
"""How far from the end of a response a last number is looked for: first nearby, then farther."""

LAST_DIGIT = re.compile(r"\d(?=\D*\Z)")
CLOCK = r"(?<![\d:])\d{1,2}:[0-5]\d(?![\d:])(?:\s?[aApP]\.?[mM]\b)?"
TEN = r"\s?(?:\\times|\\cdot|[x×*·])\s?10(?:\s?\^\s?(?:\{\s?[-−]?\d{1,3}\s?\}|[-−]?\d{1,3})|[⁰¹²³⁴-⁹⁻]{1,4})"
AND_A_PART = r"\sand\s(?:a|one)[\s-](?:half|third|quarter)\b"
TIME = re.compile(CLOCK)
NUMBER = re.compile(
    r"(?:(?<![\w)\]}.])[-−]{1,2}[^\S\n]?|(?<![\w)\]}.%])(?<![\d)\]}] )–(?=[\d.$])"
    r"|(?<![\d)\]}.$%] )(?<!\b[a-zA-Z] )(?i:\b(?:minus|negative))[^\S\n])?"
    r"(?:\\?[$€£¥₹]\s?)?(?:(?<![\w)\]}.])[-−])?"
    r"(?:(?:\d+[^\S\n]?)?[¼-¾⅐-⅞]|\d+\s*\\[dt]?frac\s*\{[^{}]{1,30}\}\s*\{[^{}]{1,30}\}|\\[dt]?frac\s*(?:\{[^{}]{1,30}\}\s*\{[^{}]{1,30}\}|\d\s*\d)"
    rf"|\d+\s+[1-9]\d*/\d+|{CLOCK}|{GROUPS}(?:\.\d+)?|{DECIMAL} ?/ ?{DECIMAL}"
    rf"|{DECIMAL}(?:[eE][-+]?\d{{1,3}}(?!\w)|{TEN})?)"
    rf"(?:_\d{{1,3}}|_\{{\d{{1,3}}\}}|\s?\\?%|\s?percent\b|(?:{AND_A_PART})?(?:\s(?:hundred|thousand|million|billion)\b)?)"
)
PLAIN_BACKWARDS = re.compile(
    r"(\D*)((?:\d{3},){1,5}\d{1,3}|\d{1,15})(\$?)(?:\s(?![-$/\d]|(?i:sunim|evitagen)\b)|\s?\Z)", re.ASCII
)
"""The last number of most responses, whole, unsigned, between spaces, with or without `$`; of a text read backwards."""
DOLLAR_OF_FORMULA = re.compile(r"\$(?!\d)")
"""Where there is neither one nor a backslash, there are no formulas: every dollar sign is one of money."""
BEFORE_ASIDE = re.compile(r"[^\S\n](?:[$*A-Za-z]+[^\S\n]){0,3}")
"""From a number to a parenthesis beside it: ` (48 + 24)`, ` more clips (since 48 + 24 = 72)`."""
IN_TWO_UNITS = re.compile(
    rf"\((?:(?:or|i\.e\.,?|that is,?) )?{DECIMAL} ?(?P<one>[a-z]{{1,10}}),?(?: and)? "
    rf"{DECIMAL} ?(?!(?P=one))[a-z]{{1,10}}\)"
)
ASIDE = re.compile(
    r"\((?:(?:since|because|as|which|that(?:['’]s|\sis)|i\.e\.,?|about|around|approximately|roughly)\s|[=≈~]"
    rf"|[$€£¥₹]?{DECIMAL}%?\s(?=[^\s)]))[^()\n]{{1,160}}\)"
)
"""What explains the number before it, or says it in another unit or form. `(or 3)` and `(24)` may be an answer."""
NEARLY = re.compile(r"(?:\s[A-Za-z]{1,11})?\s?(?:≈|\\approx)\s?\$?\Z")
"""Behind a number, and the unit after it, that the next one only rounds."""
PLAIN_AFTER = re.compile(
    rf"(?!\.?\s?(?:%|[<>]|(?:more|less|fewer|greater)\sthan\s|pi\b|sqrt\b|\^|percent\b|hundred\b|thousand\b|million\b|billion\b|[x*]\s?10\s?\^)|{AND_A_PART})\.?(?:\s|\Z)"
)
DISPLAY = re.compile(r"\\\[(.{1,400}?)\\\]|\\\((.{1,400}?)\\\)|\$\$((?:[^$\\]|\\.){1,400})\$\$", re.DOTALL)
INLINE = re.compile(r"(?<![\\$])\$(?=[^\s$])((?:[^$\\\n]|\\.){1,400}?)(?<=[^\s\\])\$(?!\d)")
SENTENCE_END = re.compile(
    r"(?<=[\w)}\]$%*°])[.!?](?=\s|\*|$)|\s(?:because|since|which|as|where|so)\s"
    rf"|\s[—–-]\s(?={PROSE})|,\s(?:(?=[a-z]){PROSE}|i\.e)|\s\((?:(?=[a-z]){PROSE}|i\.e|e\.g|(?:{UNIT_NAMES})\))"
)
JOINED = re.compile(r"\b(?:and|or|to|remainder|plus|minus|times|by)\s+[-−$\\\d]", re.IGNORECASE)
MORE = re.compile(r"(?:,\s|\s\()(?P<joint>and|or)\s")
SOME_OF_ALL = re.compile(rf"{DECIMAL}\s(?:out\s)?of\s(?:(?:the|all|these|those)\s)?{DECIMAL}(?=\s[a-z]{{3}})")
"""`12 of the 30 students`, which are 12."""
COMPARED = re.compile(rf"\stimes\sas\s[a-z]{{1,12}}\sas\s\$?{DECIMAL}")
"""After a number that is a part of what is said: ` times as many as 3`."""
PROSE_AFTER = re.compile(r"\s+[A-Za-z(]{2}")
NOT_PROSE = re.compile(r"[^A-Za-z\s,;:.'’()-]")
WORD = re.compile(
    r"(?<![\\A-Za-z])(?<!\\begin\{)(?<!\\end\{)[A-Za-z]{2,}|[\u0400-\u07ff\u0900-\u0dff\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
"""Of Latin letters, which variables are too, at least two; of Cyrillic, Arabic, Indic, Chinese and their like any."""
FORMULA_WORDS = frozenset(
    ["and", "or", "sin", "cos", "tan", "log", "ln", "exp", "pi", "sqrt", "inf", "infinity", "mod", "gcd", "lcm"]
)
MEASURES = FORMULA_WORDS | CANONICAL.keys() | {"unit", "units", "square", "cubic", "sq"}
LEAD = re.compile(
    r"(?:(?:therefore|thus|simply|just|either|both|exactly|equivalently|approximately|about|around|roughly|equal to"
    r"|given by|that|hence)\b,?\s*)+",
    re.IGNORECASE,
)


class Formula(NamedTuple):
    """What a formula between marks holds, and from where to where it stands in its text, with its marks."""

    inner: str
    start: int
    end: int


def sentence(text: str) -> str:
    """A text's first statement, without the dollar signs of its formulas; the formula alone that only prose follows."""
    said = statement(text)
    opening = _leading_formula(said)
    whole = _without_marks(said)
    if opening is None or read_quantity(clean(whole)) is not None:
        return whole
    rest = said[opening.end() :]
    is_prose_only = PROSE_AFTER.match(rest) and not NOT_PROSE.search(rest) and not NO_UNIT.search(rest)
    return _inner(opening).strip() if is_prose_only else whole


def statement(text: str) -> str:
    """The part of a text up to where its first statement ends, without an introducing adverb."""
    text = LEAD.sub("", text, count=1) if LEAD.match(text) else text
    opening = _leading_formula(text)
    compared = COMPARED.search(text) if " times as " in text else None
    begin = compared.end() if compared else opening.end() if opening else 0
    ends = [end.start() for end in SENTENCE_END.finditer(text, begin)] + [len(text)]
    end = next(place for place, then in pairwise([*ends, len(text)]) if not _goes_on(text[:place], text[place:then]))
    return text[: end or len(text)].strip()


def last_number(text: str) -> str | None:
    """The last number of a text with its sign, currency, percent sign; the formula it stands in where it does."""
    return plain_last_number(text) or _last_number(text)


def plain_last_number(text: str) -> str | None:
    """The last number of an ASCII text without formulas, where a look at the end is enough to be sure of it."""
    if not text.isascii() or "\\" in text or ("$" in text and DOLLAR_OF_FORMULA.search(text)):
        return None
    match = PLAIN_BACKWARDS.match(text[: -BESIDE - 1 : -1])
    if match is None or (match.end() + len("negative") >= BESIDE < len(text)):
        return None
    after = match[1][::-1]
    if not PLAIN_AFTER.match(after) or (")" in after and "(" not in after[: after.find(")")]):
        return None
    before = len(text) - match.end()
    if may_be_a_part(text[max(0, before - EDGE) : before], after):
        return None
    return match[3] + match[2][::-1]


def _last_number(text: str) -> str | None:
    last = _last_match(text, NEAR) or _last_match(text, TAIL)
    if last is None:
        return None
    last = _before_aside(text, last) or last
    if is_denied(text, last):
        begin = sentence_begin(text, last.start())
        return None if begin is None else _last_number(text[begin : last.start()])
    form = form_of(text, last)
    if form is not None:
        return form
    term, said = term_of(text, last), last[0].strip().rstrip(".")
    whole = whole_of(text, last, term.removeprefix(said)) if term.startswith(said) else None
    for formula, start, end in _formulas(text, max(0, len(text) - TAIL)):
        if start <= last.start() and last.end() <= end:
            is_sum = whole and is_unevaluated(formula) and not re.search(r"\d", text[start : whole.begin])
            return whole.text if whole and (is_sum or whole.begin < start) else formula
    if whole is not None:
        return whole.text
    nearly = NEARLY.search(text, max(0, last.start() - EDGE), last.start())
    exact = _last_match(text[: nearly.start()], NEAR) if nearly else None
    if nearly and exact and exact.end() == nearly.start():
        return f"{term_of(text, exact)} \\approx {term}"
    return term


def _before_aside(text: str, last: re.Match[str]) -> re.Match[str] | None:
    """The number beside the parenthesis that the last one stands in, where that is an aside: `2 days (48 hours)`."""
    opening = text.rfind("(", max(0, last.start() - NEAR), last.start())
    aside = (ASIDE.match(text, opening) or IN_TWO_UNITS.match(text, opening)) if opening > 0 else None
    before = _last_match(text[:opening], NEAR) if aside and aside.end() > last.end() else None
    if before is None or not BEFORE_ASIDE.fullmatch(text, before.end(), opening) or whole_of(text, before):
        return None
    return before


def sentence_begin(text: str, place: int) -> int | None:
    """Where the sentence begins that a place is in; None where that is far off."""
    reach = max(0, place - NEAR)
    begin = max(text.rfind(mark, reach, place) + 1 for mark in ("\n", ". ", "! ", "? "))
    return begin if begin or not reach else None


def _last_match(text: str, reach: int) -> re.Match[str] | None:
    """The last number that begins in the last `reach` characters, and not at their very edge, which may cut it."""
    begin, last = max(0, len(text) - reach), None
    for match in NUMBER.finditer(text, begin):
        last = last if is_unit_power(text, match) else match
    return None if last is None or (0 < begin > last.start() - EDGE and reach < TAIL) else last


def is_clock(text: str) -> bool:
    """Whether a text is a time of day, `3:30` or `3:30 pm`."""
    return TIME.fullmatch(text) is not None


def last_time(text: str) -> str | None:
    """The last time of day of a text."""
    times = TIME.findall(text[-TAIL:])
    return times[-1] if times else None


def leading_number(text: str) -> str | None:
    """The number that a phrase begins with, where words follow it that add no other number to it."""
    match = NUMBER.match(text)
    return match[0].strip() if match and not whole_of(text, match) and _only_words_follow(text, match) else None


def leading_formula(text: str) -> str | None:
    """What the formula holds that a phrase begins with, where words follow it that add no other to it."""
    match = _leading_formula(text)
    return _inner(match) if match and _only_words_follow(text, match) else None


def last_formulas(text: str) -> list[Formula]:
    """The formulas of a text's last line with formulas; empty when there are none."""
    formulas = sorted(_formulas(text, max(0, len(text) - TAIL)), key=lambda found: found.end)
    if not formulas:
        return []
    line = text.rfind("\n", 0, formulas[-1].start)
    return [formula for formula in formulas if formula.start > line]


def is_prose(text: str) -> bool:
    """Whether words other than a formula's own stand in a text."""
    return bool(prose_words(text))


def prose_words(text: str, known: Set[str] = FORMULA_WORDS) -> list[str]:
    """The words of a text other than the known ones."""
    return [word for word in WORD.findall(text) if word.lower() not in known]


def _goes_on(before: str, clause: str) -> bool:
    """Whether what looks like a new clause gives more of the answer: `, and 4 cm`, `(or 3)`, `- the 3 left = 4`."""
    if calculates_on(before, clause):
        return True
    more = MORE.match(clause)
    if more is None:
        return False
    if more["joint"] == "and":
        return all(word in CANONICAL for word in WORD.findall(clause, more.end()))
    return re.search(r"\d|[$\\]", clause) is not None and not _restates(before, clause[more.end() :])


def _restates(before: str, other: str) -> bool:
    """Whether what follows an "or" is the same answer again: in another form, in another unit, or rounded."""
    if LEAD.match(other):
        return True
    one, two = (read_quantity(clean(_without_marks(text.rstrip(".!?) ")))) for text in (before, other))
    if one is None or two is None:
        return False
    return units_differ(one.unit, two.unit) or one.exact == two.exact


def _only_words_follow(text: str, match: re.Match[str]) -> bool:
    text = IN_TWO_UNITS.sub("", text)
    if PROSE_AFTER.match(text, match.end()) is None or JOINED.search(text) or is_calculation(text, match):
        return False
    some = SOME_OF_ALL.match(text)
    wholes = (whole_of(text, number) for number in NUMBER.finditer(text, some.end() if some else match.end()))
    return all(whole is None or whole.begin >= match.end() for whole in wholes)


def _leading_formula(text: str) -> re.Match[str] | None:
    return DISPLAY.match(text) or INLINE.match(text)


def _without_marks(text: str) -> str:
    r"""A text whose formulas stand in it as they are; a space around them, since `\(5\)\(5\)` is not 55."""
    for pattern in (DISPLAY, INLINE):
        text = pattern.sub(lambda found: f" {_inner(found)} ", text)
    return " ".join(text.split())


def _formulas(text: str, begin: int) -> list[Formula]:
    """The formulas of a text from a place on."""
    if text.find("$", begin) < 0 and text.find("\\", begin) < 0:
        return []
    matches = [match for pattern in (DISPLAY, INLINE) for match in pattern.finditer(text, begin)]
    return [Formula(_inner(match), match.start(), match.end()) for match in matches]


def _inner(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)
