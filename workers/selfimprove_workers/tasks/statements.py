"""The formula that a sentence ends with, where it is written as plain text: `Combining like terms, we get 2x + 3.`

As of a text the last number is the answer where a number is asked for, so else it is the formula at the end of the last
sentence that holds one. All of that formula counts, as far back as nothing but symbols stand, so that no part of it is
taken for it; and only where it is handed over, by a verb, a colon or an adverb, or asserts something itself (`x > 3`).
What follows `twice`, `and`, `of` or `not` is more or less than the formula, and no answer. A sentence may also end with
what its formula is: `2x + 3 is the simplified expression.`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from selfimprove_workers.tasks.phrases import MEASURES, SENTENCE_END
from selfimprove_workers.tasks.symbols import words_of

TAIL = 2000
MOST_SENTENCES = 8
MOST_TOKENS = 80
BORDER = re.compile(r"(?<=[\w)}\]$%*°!²³])[.!?]+(?=\s|[*_]|\Z)|\n")
MARK = re.compile(r"[\d=+*/^<>√π∞≤≥±×·÷²³\\$|]|\s[-−–]\s")
"""What only formulas have."""
RELATION = re.compile(r"(?<!\\)[=<>≤≥≠≈]|\\(?:[lg]eq?|[lg]t|approx)(?![a-z])")
JOINTS = frozenset(["and", "or"])
CLAUSE_END = re.compile(rf"{SENTENCE_END.pattern}|\s(?:for|when|if|unless|instead|rather)\s")
ASIDE = re.compile(
    r",?\s(?:because|since|where|for|when|if|unless|instead|rather|not|(?<!ed\s)(?<!en\s)(?<!ors\s)as)\b|\s\("
)
"""A reason, a condition, what is denied, a parenthesis; `written as` and `factors as` begin none."""
CASES = re.compile(r"\s(?:for|when|if|unless)\b.*(?:[,;]\s|\b(?:and|or|otherwise|else)\b)")
"""A condition after which there is more than one answer: `2x if x > 0, and 3x if x < 0`."""
RELATIVE = re.compile(r",?\swhich\b")
NO_BEGINNING = re.compile(r"(?:and|or)\b|[+*/×·,;)\]}<>≤≥≠^|]")
VERB = r"is|are|was|were|be|equals?|becomes?"
GIVE = r"gets?|got|have|has|gives?|leaves?|yields?|obtain(?:s|ed)?|finds?|found|remains?|with"
CHANGE = (
    r"(?:simplif|reduc|equa|equival|evaluat|lead|com|amount|expand|factor|(?:re)?writ|express|turn|work|boil|convert)"
    r"[a-z]{0,6}(?:\s(?:down|out|back|it|this)){0,2}\s(?:to|as|into)"
)
LINK = re.compile(
    rf"(?:\A\W*|:|[A-Za-z]{{3}},|(?:\b(?:{VERB}|{GIVE}|{CHANGE}|so|thus|hence|therefore|then|finally)|\b(?:it|that)['’]s)"
    r"(?:\s(?:us|me|just|simply|either|both|exactly|now|then|thus|therefore|equal\sto|given\sby))*)[\s*_:,\"]*\Z",
    re.IGNORECASE,
)
"""What hands a formula over, up to it."""
DENIED = re.compile(
    r"(?:\b(?:not|never|cannot|neither|nor|if|unless|suppos\w*|assum\w*|wrong\w*|incorrect\w*|mistak\w*|than|instead)\b"
    r"|n['’]t\b)[^,;:]{0,60}\Z",
    re.IGNORECASE,
)
SUBJECT = re.compile(rf"\s(?:must\s|(?:is|are)\s(?=equal))?(?:{VERB}|equal\sto)[\s*_:]*\Z")
FINISHED = r"simplified|simplest|reduced|factored|expanded"
PRESENTED = re.compile(
    r"\s(?:is|are)\sthe\s(?:(?:final|correct|required|desired)\s)?"
    rf"(?:answers?|results?|solutions?|(?:fully\s|completely\s)?(?:{FINISHED})\s(?:expression|equation|form))\Z"
)
"""What a sentence says of the formula before it; `the expression` may be the one that the answer is made of."""
PARTED = re.compile(r",\s|\s(?:and|or)\s")
REACH = 160
BRACKETS = (set("([{"), set(")]}"))


class Statement(NamedTuple):
    """A formula that a text states, and the formula that it says it of: `5` and `x` of `The value of x is 5.`"""

    formula: str
    subject: str = ""
    is_given: bool = True
    """Whether a verb, a colon or an adverb hands it over; else it asserts something itself."""


def last_statement(text: str) -> Statement | None:
    """What the last sentence that holds a formula states; None where it states none."""
    for sentence in _sentences(text[-TAIL:]):
        for clause, part in [] if sentence.endswith("?") else _clauses(sentence):
            stated = _stated(clause) or _presented(clause)
            if stated or (MARK.search(part) and not RELATIVE.match(part)):
                return stated
        if MARK.search(sentence):
            return None
    return None


def _sentences(text: str) -> Iterator[str]:
    """The last sentences of a text, the last first."""
    ends = [border.end() for border in BORDER.finditer(text)]
    places = [0, *ends, len(text)][-MOST_SENTENCES - 1 :]
    for start, end in reversed(list(pairwise(places))):
        sentence = text[start:end].strip().rstrip(".!*_ ")
        if sentence:
            yield sentence


def _clauses(sentence: str) -> Iterator[tuple[str, str]]:
    """A sentence up to the end of each of its clauses, with that clause, the last first; none that is an aside."""
    places = [0, *(end.start() for end in CLAUSE_END.finditer(sentence)), len(sentence)]
    for start, end in reversed(list(pairwise(places))):
        if not ASIDE.match(sentence, start, end) or CASES.match(sentence, start, end):
            yield sentence[:end], sentence[start:end]


def _stated(clause: str) -> Statement | None:
    start = _formula_start(clause)
    said, before = clause[start:].lstrip("*_ "), clause[max(0, start - REACH) : start]
    formula = said.lstrip("=: ")
    if not formula or NO_BEGINNING.match(formula) or DENIED.search(before) or not _is_closed(formula):
        return None
    if said == formula and not LINK.search(before):
        return Statement(_asserting(formula), is_given=False) if RELATION.search(formula) else None
    subject = SUBJECT.search(before)
    said_of = before[_formula_start(before[: subject.start()]) : subject.start()] if subject else ""
    return Statement(formula, said_of.strip())


def _presented(clause: str) -> Statement | None:
    """The formula of which a clause says at its end what it is; none of several that are not all of a kind."""
    found = PRESENTED.search(clause)
    stated = _stated(clause[: found.start()]) if found else None
    if stated is None or not stated.is_given:
        return None
    are_relations = {RELATION.search(part) is None for part in PARTED.split(stated.formula)}
    return stated if len(are_relations) == 1 else None


def _formula_start(text: str) -> int:
    """Where the formula begins that a text ends with; its end where it ends with none."""
    tokens = list(re.finditer(r"\S+", text[-REACH * 4 :]))[-MOST_TOKENS:]
    offset, start, is_unit = max(0, len(text) - REACH * 4), len(text), True
    for token in reversed(tokens):
        word = token[0].strip("*_.,$").lower()
        is_unit = is_unit and word in MEASURES and word not in ("in", "and", "or")
        if not is_unit and not _is_symbolic(token[0]):
            break
        start = start if is_unit else offset + token.start()
    return start


def _is_symbolic(token: str) -> bool:
    """Whether nothing but symbols, or a joint between them, is in a part of a text without spaces."""
    if token.strip(",") in JOINTS or token == ":":
        return True
    return not token.endswith(":") and not words_of(token)


def _is_closed(formula: str) -> bool:
    """Whether as many brackets close as open."""
    opened, closed = (sum(mark in marks for mark in formula) for marks in BRACKETS)
    return opened == closed


def _asserting(formula: str) -> str:
    """Of `2, x = 5`, after a phrase that ended with the 2, the part that says something."""
    parts = formula.split(", ")
    return ", ".join(parts[next(place for place, part in enumerate(parts) if RELATION.search(part)) :])
