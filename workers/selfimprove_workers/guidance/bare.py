"""Whether a text gives the answer and no way to it.

A number comes from others, so it takes another one, a formula, or clauses that are of the problem and not of the answer
("each friend buys twice as many"). Of what is no number any five words may be reasons, if three are not of the form
(`Let's think step by step`). `By Pythagoras,` is one of anything; a label (`Total clips:`), what is said to the reader
(`Great question!`, `I hope this helps`), points, a confidence and a number alone on its line are none. Nor is a
question said again that is answered by yes or no: `Yes, the tower is taller than the statue.`

A way stands before the answer, or behind it on its line, or below it where it is called the reason. What else comes
after an answer, such as the next question, is what a model says that does not stop.
"""

from __future__ import annotations

import re

from selfimprove_workers.guidance.golds import without_gold
from selfimprove_workers.guidance.markup import UNSPACED, without_markup
from selfimprove_workers.guidance.number_words import spoken_numbers
from selfimprove_workers.tasks.equality import Kind, read

LEAST_WORDS = 5
"""What is said beside an answer in fewer words, without a number, explains nothing."""
LEAST_REASON = 3
"""Words of the clauses that have not the answer in them, of which they are a reason."""
LEAST_NEW = 2
"""Words that the question has not, from which on it is not only said again."""
LEAST_CLAUSE = 2
"""Words of such a clause, of which it counts at all. As many before a colon and the answer are a label."""

_GOLD = "■"
"""What stands in a text in place of every answer."""
_EMPTY_WORDS = re.compile(
    "(a|an|and|answer|are|be|boxed|correct|final|get|have|hence|is|it|of|result|so|solution|text|that|the|then|therefore"
    "|this|thus|to|we)"
)
_OF_FORM = re.compile(
    "(above|at|below|box|by|calculat\\w+|can|carefully|choices?|choose|do|end|find|first|follow\\w*|for|format|give|here|how|i|in"
    "|let|letter|ll|look|many|me|much|my|need|now|number|on|options?|out|problem|question|read|s|show|solv\\w+|start|step"
    "|steps|think|through|us|value|will|with|work|write|you|your)"
)
_YES_OR_NO = frozenset(("yes", "no", "true", "false"))
_ASSERTS = re.compile(
    "(yes|no|not|or|true|false|do|does|did|don|doesn|didn|isn|aren|wasn|weren|t|has|was|were|indeed|actually)"
)
_SENTENCE = re.compile(r"[^.!?\n]*\w[^.!?\n]*")
_ASKED = re.compile(r"[^.!?\n]+\?")
_STATEMENT_AND_QUESTION = 2
"""Sentences of `Plants need the sun. True or false?`"""
_WORD = re.compile(rf"[{UNSPACED}]{{1,3}}|[^\W_{UNSPACED}]+")
_FORMULA = re.compile(rf"[\d{_GOLD}]\s*[-+*/×÷·−^]\s*\(?\s*[\d{_GOLD}]")
_OF_LETTERS = re.compile(r"[\w)]\s*[+^]\s*[\w(]|\w\s*/\s*\w\s*=")
_BY_THIS = re.compile(r"(?:^|[.;:!?\n])\W{0,4}(?:by|using|via|from)\s(?!the\sway\b)([^,.;:\n]{1,80}),", re.IGNORECASE)
_SINCE = re.compile(r"\b(?:because|since)\s([^,.;:\n]{1,80})", re.IGNORECASE)
_BY = re.compile(r"(?<!\bgiven\s)(?<!\bstep\s)\b(?:by|using|via)\s([^.;:\n]{1,80})", re.IGNORECASE)
_LABEL = re.compile(rf"[^\n:：{_GOLD}]{{0,80}}[:：]\s*(?=[^\w\n{_GOLD}]{{0,12}}{_GOLD})")
_WITHIN = rf"[^.!?。！？\n\d{_GOLD}]"
_AT_FIRST = r"(?:^|(?<=[.!?。！？\n]))"
_EXCLAMATION = re.compile(rf"{_AT_FIRST}{_WITHIN}*(?<=[^\W\d]{{2}})[!！]+(?=\s|$)")
"""With a word before its mark: `n!` is none."""
_COURTESY = re.compile(
    rf"{_AT_FIRST}{_WITHIN}{{0,40}}\b"
    rf"(?:let\s+me\s+know|feel\s+free|(?:happy|glad)\s+to\s+help|hope\s+(?:this|that|it)\s+\w+)\b{_WITHIN}*[.!?]*",
    re.IGNORECASE,
)
_MARK = re.compile(
    rf"(?:{_AT_FIRST}|(?<={_GOLD}))\s{{0,4}}[(\[](?:[^\W\d]+:\s*)?\d+\s*%?(?:\s[^\W\d]+)?[)\]]"
    r"|\b(?:confidence|certainty)\b[^.\n\d]{0,20}\d+\s*%?|\d+\s*%\s*(?:confident|certain|sure)\b",
    re.IGNORECASE,
)
"""What a statement is worth, or how sure its author is: `(2 points)`, `Confidence: 95%`."""
_NEXT_QUESTION = re.compile(r"(?:\A|\n|[.!?])\W{0,12}(?:q|question|problem|exercise)\s*\d*[:.)]", re.IGNORECASE)
_REASON_BELOW = re.compile(
    r"\W*(?=\w)(?![^.!\n]*\?)(?:(?:\w+\W+){0,2}(?:explain|explanation|here|reason\w*|step|(?:solution|working|calculation|proof)(?=\s*:))|[^.!?\n]*\b(?:because|since))\b",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\?|\A\W*(?:calculate|compute|evaluate|find|simplify|solve)\b", re.IGNORECASE)
_ANSWERS = re.compile(rf"{_GOLD}|\bprint\(")
"""A program says its answer where it prints."""
_CLAUSE_END = re.compile(
    r"\n+|[。！？；]+|[.!?;:]+(?=\s|$)|\b(?:because|since|therefore|thus|hence|so|when|after|by\s+(?=\w+ing\b)|gives?|yields?|leaves?"
    r"|(?:we|you|i)\s+(?:get|have|find|obtain))\b",
    re.IGNORECASE,
)


def is_bare(said: str, answer: str, option: str | None = None, question: str = "") -> bool:
    """Whether a text gives the answer and says no more of how it is found. `question`: what it may say again."""
    plain = _plain(said, answer, option)
    if _GOLD in plain and answer.strip().casefold() in _YES_OR_NO and _says_again(plain, question):
        return True
    return _GOLD in plain and not re.search(r"\d", plain) and not _has_way(plain, read(answer).kind)


def says_it_at_once(said: str, answer: str, option: str | None = None) -> bool:
    """Whether a text gives the answer in its first clause that says anything, and no way to it: `The answer is 3.`

    It asks less of a text than `is_bare`: any clause before the answer may be the beginning of a way.
    """
    *before, _ = _CLAUSE_END.split(_plain(said, answer, option).partition(_GOLD)[0])
    return is_bare(said, answer, option) and not any(map(_reasons, before))


def _says_again(plain: str, question: str) -> bool:
    """Whether a text has hardly a word that what is asked has not. Other sentences of a question are its reasons."""
    asked = {word for sentence in _ASKED.findall(question) for word in _asserted(sentence)}
    if not asked and len(_SENTENCE.findall(question)) <= _STATEMENT_AND_QUESTION:
        asked = set(_asserted(question))
    new = [word for word in _asserted(plain) if word not in asked]
    return bool(asked) and len(new) < LEAST_NEW and not _FORMULA.search(plain)


def _asserted(text: str) -> list[str]:
    return [word for word in _reasons(text) if not _ASSERTS.fullmatch(word)]


def _plain(said: str, answer: str, option: str | None) -> str:
    """What a text says, without markup, with a mark for every gold, and without labels and what the reader is told."""
    # The golds go first: markup is a part of theirs.
    marked = without_gold(said.replace(_GOLD, " "), answer, option, _GOLD)
    plain = without_markup(_up_to_answer(marked, read(answer).kind))
    plain = _MARK.sub("", _COURTESY.sub("", plain))
    for pattern in (_EXCLAMATION, _LABEL):
        plain = pattern.sub(lambda found: found[0] if len(_reasons(found[0])) > LEAST_CLAUSE else "", plain)
    return "\n".join(line for line in plain.split("\n") if not _is_number_alone(line))


def _up_to_answer(marked: str, kind: Kind) -> str:
    """A text up to the end of the line of its last answer, and on where a reason follows; no next question.

    What is no number has its reasons in words, which any statement below it may be; of a number a formula is one.
    """
    before, gold, after = marked.partition(_GOLD)
    own = before + gold + _NEXT_QUESTION.split(after, maxsplit=1)[0]
    end = max((found.end() for found in _ANSWERS.finditer(own)), default=len(own))
    line, _, below = own[end:].partition("\n")
    is_statement = not _ASKS.search(below) and (kind is not Kind.QUANTITY or _FORMULA.search(below) is not None)
    is_reason = is_statement or _REASON_BELOW.match(below) is not None
    return own if is_reason else own[:end] + line


def _is_number_alone(line: str) -> bool:
    """Whether a line says one number and nothing of it, as an answer that was another one: `#### 56`."""
    words, numbers = re.subn(r"\d[\d.,]*", " ", line)
    return numbers == 1 and not re.search(f"[{_GOLD}=+*/×]", line) and not _reasons(words)


def _has_way(plain: str, kind: Kind) -> bool:
    by_this = (_BY if kind in (Kind.MATH, Kind.ITEMS) else _BY_THIS).search(plain)
    since = _SINCE.search(plain)
    if _FORMULA.search(plain) or (by_this and _reasons(by_this[1])):
        return True
    if since and len(_reasons(since[1])) >= LEAST_CLAUSE:
        return True
    if kind is Kind.QUANTITY:
        return any(spoken_numbers(plain)) or _has_reason(plain)
    is_derived = kind in (Kind.MATH, Kind.ITEMS) and _OF_LETTERS.search(plain)
    return bool(is_derived) or (len(_telling(plain)) >= LEAST_WORDS and len(_reasons(plain)) >= LEAST_REASON)


def _has_reason(plain: str) -> bool:
    clauses = [len(_reasons(clause)) for clause in _CLAUSE_END.split(plain) if _GOLD not in clause]
    return sum(words for words in clauses if words >= LEAST_CLAUSE) >= LEAST_REASON


def _reasons(clause: str) -> list[str]:
    return [word for word in _telling(clause) if not _OF_FORM.fullmatch(word)]


def _telling(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()) if not _EMPTY_WORDS.fullmatch(word)]
