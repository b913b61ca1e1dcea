"""Math: a number, an expression, a pair, a set. Right when it equals the gold, however it is written.

Flexible takes the answer from the most declared channel the response has (`extract`), else the number that it comes
to at its end (`closing`), mostly the last one (or, for a gold that is no number, the last formula between marks, the
one that the last sentence with one states (`statements`), or the last line), without a condition or a reason added to
it (`asides`). Of a number that is only a part of what is said there the whole counts (`wholes`, `forms`), of an
answer that is corrected at once the correction (`corrections`), of a number that is taken back what is worked out
after it (`retractions`), and of aligned rows at the end the last side (`aligned`). A sum that is not worked out
(`sums`) is passed over for what it comes to, where that is said too; else it is Wrong. Strict asks for the format:
the answer stands alone in `\\boxed{}`, `<answer>`, after `####`, as the `"answer"` of a JSON object, after "the
answer is", or is the whole response; else strict is NoAnswer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import takewhile
from typing import Any, NamedTuple

from selfimprove_workers.tasks.aligned import without_rows
from selfimprove_workers.tasks.asides import stated_formulas
from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.tasks.closing import closing_number
from selfimprove_workers.tasks.corrections import corrected
from selfimprove_workers.tasks.emphasis import in_bold, leading_bold
from selfimprove_workers.tasks.equality import (
    Kind,
    Reading,
    canonical,
    comes_to,
    compare,
    is_unevaluated,
    read,
    readable,
    side_that_counts,
)
from selfimprove_workers.tasks.exclamations import without_exclamation
from selfimprove_workers.tasks.explained import explained_answer, explained_number
from selfimprove_workers.tasks.express import MAX_WHOLE, is_whole, whole_number
from selfimprove_workers.tasks.extract import Found, boxed, declared, final_part, without_denials
from selfimprove_workers.tasks.phrases import (
    FORMULA_WORDS,
    MEASURES,
    is_clock,
    is_prose,
    last_time,
    leading_formula,
    leading_number,
    prose_words,
    sentence,
    statement,
)
from selfimprove_workers.tasks.precision import without_precision
from selfimprove_workers.tasks.restated import without_restated
from selfimprove_workers.tasks.results import last_result
from selfimprove_workers.tasks.retractions import without_retracted
from selfimprove_workers.tasks.statements import RELATION, last_statement
from selfimprove_workers.tasks.sums import without_arrows, without_shown_sums
from selfimprove_workers.tasks.symbols import words_of
from selfimprove_workers.tasks.wholes import is_denied

COPULA = re.compile(r"\s(?:is|are|was|were|be|falls on|equals|=)[\s:]+")
PLAIN = r"-?\d[\d./]{0,20}(?<!\.)"
LIST = re.compile(
    r"(?<![\w^])[(\[{][^()\[\]{}]{1,100},[^()\[\]{}]{1,100}[)\]}]"
    rf"|(?<![\w^]){PLAIN}(?:, {PLAIN}){{0,20}},? and {PLAIN}"
)
NAMED = re.compile(r"\s*[A-Za-z](?:_\{?\w+\}?)?\s*=\s*")
RATIO = re.compile(rf"{PLAIN}\s?:\s?{PLAIN}")
RATIO_SAID = re.compile(rf"(?<![\w.:])(?<!\bfrom )(?<!n['’]t )({PLAIN})(?:\sto\s|\s?:\s?)({PLAIN})(?![\w:])")
TAIL = 2000
MOST_STATED = 4
"""How many of a line's copulas are tried, the longest statement first: `the roots are x = 1 and x = 2`."""
ANY_GOLD = read("0")
"""What stands for the gold where there is none: most answers are numbers."""
WORD = re.compile(r"\s*[*_$]{0,2}(?:\\text\{)?[A-Za-z]+\W{0,4}\s*")
ANY_NAME = read("Name")
"""And where a response that gives no number is a word or declares its answer."""


class Candidate(NamedTuple):
    """An answer, and whether the response gives it in the form that strict grading asks for."""

    text: str
    is_strict: bool
    is_closed: bool = False


class Math:
    """The checker of mathematical answers."""

    name = "Math"
    at_once = 1

    def check(self, response: str, answer: str, extra: Mapping[str, Any] | None, truncated: bool = False) -> Check:
        """See `tasks.base.Task`. `extra["percent"]`: the question asks for a percentage, so 5 and 5% are the same."""
        if not truncated and is_whole(answer):
            number = whole_number(response)
            if number is not None:
                verdict = Verdict.CORRECT if number.text == answer else Verdict.WRONG
                return Check(verdict, verdict if number.is_declared else Verdict.NO_ANSWER, number.text)
        return self._cascade(response, answer, _is_percentage(extra), truncated)

    def extract(self, response: str, extra: Mapping[str, Any] | None = None) -> str | None:
        """The answer a response gives, in one spelling for the same answer; None where it gives none."""
        region = final_part(response)
        candidate = find_answer(region, ANY_GOLD) or _given_name(region) if region is not None else None
        return _spelled(candidate.text, _is_percentage(extra)) or None if candidate else None

    def _cascade(self, response: str, answer: str, percent_asked: bool, truncated: bool) -> Check:
        gold = read_gold(answer)
        if gold is None:
            return Check(Verdict.GOLD_UNPARSABLE, Verdict.GOLD_UNPARSABLE)
        region = final_part(response)
        candidate = find_answer(region, gold) if region is not None else None
        if candidate is None:
            missing = Verdict.TRUNCATED if truncated else Verdict.NO_ANSWER
            return Check(missing, missing)
        verdict, spelled = compare(gold, candidate.text, percent_asked), _spelled(candidate.text, percent_asked)
        if truncated and not (candidate.is_closed and verdict is Verdict.WRONG):
            return Check(Verdict.TRUNCATED, Verdict.TRUNCATED, spelled)
        return Check(verdict, verdict if candidate.is_strict else Verdict.NO_ANSWER, spelled)


def _given_name(text: str) -> Candidate | None:
    """The name that a text declares, or that is all of it."""
    is_given = WORD.fullmatch(text) or declared(corrected(text)) is not None
    return find_answer(text, ANY_NAME) if is_given else None


def _is_percentage(extra: Mapping[str, Any] | None) -> bool:
    """Whether the question asks for a percentage."""
    return bool(extra and extra.get("percent"))


def _spelled(answer: str, percent_asked: bool) -> str:
    """An answer in one spelling: 25% as 25 where a percentage is asked for, since both are the same then."""
    spelled = canonical(answer)
    return spelled.removesuffix("%") if percent_asked else spelled


def gold_of(answer: str) -> str:
    r"""The final answer of a dataset's answer column: what `\boxed{}` holds in a worked solution, else the text.

    Of `The answer is 14.` it is what is declared.
    """
    found = boxed(answer)
    if found:
        return found.payload
    declared = DECLARED_GOLD.fullmatch(answer.strip())
    return declared["answer"] if declared else answer.strip()


DECLARED_GOLD = re.compile(
    r"(?:(?:so|thus|hence|therefore),?\s+)?(?:the\s+)?(?:(?:final|correct)\s+)*answer\s*(?:is\s*:?|:|=)\s*(?P<answer>\S[^\n]{0,200}?)\.?",
    re.IGNORECASE,
)
"""A gold that is a sentence: `The final answer is $14$.`"""


@lru_cache(maxsize=65536)
def read_gold(answer: str) -> Reading | None:
    """What the gold is; None when nothing can be compared with it."""
    gold = read(gold_of(answer))
    return gold if gold.text and readable(gold) else None


def find_answer(text: str, gold: Reading) -> Candidate | None:
    """The answer that a response (without its thinking) gives, the corrected one where it corrects itself."""
    text = corrected(without_retracted(text) if gold.kind is Kind.QUANTITY else text)
    plain = _plain(text) if gold.kind is Kind.QUANTITY else without_rows(text)
    candidate = _find_answer(plain, gold)
    if candidate is not None and candidate.is_strict and plain != text:
        candidate = candidate._replace(is_strict=_find_answer(text, gold) == candidate)
    if candidate is None or gold.kind is not Kind.QUANTITY:
        return candidate
    return candidate._replace(text=without_exclamation(candidate.text))


def _plain(text: str) -> str:
    """A text as a number is looked for in it: without what says the answer again, and without spellings of its own."""
    return without_precision(
        without_restated(without_shown_sums(without_arrows(in_bold(without_rows(text, with_bare=False)))))
    )


def _find_answer(text: str, gold: Reading) -> Candidate | None:
    found = declared(text)
    candidate = _from_channel(found, gold) if found is not None else None
    if candidate is None:
        return _undeclared(text, gold)
    said = side_that_counts(read(candidate.text))
    evaluated = _undeclared(text, gold) if gold.kind is Kind.QUANTITY and is_unevaluated(said) else None
    return evaluated if evaluated and comes_to(said, evaluated.text) else candidate


def _undeclared(text: str, gold: Reading) -> Candidate | None:
    """The answer of a text without what it declares."""
    explained = explained_answer(text)
    if explained and _is_answer(explained, gold):
        return Candidate(explained, is_strict=False)
    sentence_before = explained_number(text) if gold.kind is Kind.QUANTITY else None
    if sentence_before and (number := closing_number(sentence_before)):
        return Candidate(number, is_strict=False)
    said, whole = without_denials(text), text.strip()
    is_short = 0 < len(whole) <= MAX_WHOLE and "\n" not in whole and "\\boxed{" not in whole and said == text
    is_stated = gold.kind is Kind.WORDS and (_is_wordier(whole, gold) or _stated(whole, gold) is not None)
    if is_short and not is_stated and _is_answer(whole, gold):
        return Candidate(whole, is_strict=True)
    last = _within(said, gold) or _stated(said, gold) or _listed(said, gold) or _last_name(said, gold)
    return Candidate(last, is_strict=False) if last else None


def _from_channel(found: Found, gold: Reading) -> Candidate | None:
    if found.is_closed:
        is_sentence = found.channel != "boxed" and is_prose(found.payload) and not _is_answer(found.payload, gold)
        inside = _find_answer(found.payload, gold) if is_sentence else None
        return Candidate(inside.text if inside else found.payload, is_strict=inside is None, is_closed=True)
    payload = found.payload if found.channel == "hashes" else sentence(found.payload)
    if _is_answer(payload, gold):
        return Candidate(payload, is_strict=True)
    if found.channel == "hashes":  # a headline, not an answer
        return None
    said = statement(found.payload)
    first = leading_number(payload) or leading_bold(payload) if gold.kind is Kind.QUANTITY else leading_formula(said)
    inner = first or _within(said, gold)
    result = last_result(found.after) if gold.kind is Kind.QUANTITY and not first else None
    if result is not None and inner and (worked := read(inner).quantity) and abs(worked.value) != result:
        return None  # the first line of a solution
    return Candidate(inner, is_strict=False) if inner else None


def _is_answer(text: str, gold: Reading) -> bool:
    """Whether a text is a final answer by itself, rather than a sentence or a calculation that has one."""
    reading = read(text)
    if reading.kind in (Kind.QUANTITY, Kind.ITEMS):
        return True
    if Kind.WORDS in (gold.kind, reading.kind):
        return gold.kind is reading.kind
    if ":" in text and ":" not in gold.text:
        return False
    known = MEASURES if gold.kind is Kind.MATH else FORMULA_WORDS
    is_wordy = len(prose_words(reading.text, known)) > len(prose_words(gold.text, known))
    return (gold.is_equation or not reading.is_equation) and not is_wordy


def _is_wordier(text: str, gold: Reading) -> bool:
    """Whether a text is longer than a name as the gold is one, with an article or an adverb before it."""
    return len(text.split()) > len(gold.text.split()) + 1


def _within(text: str, gold: Reading) -> str | None:
    """The answer inside a longer text: for a gold that is a number the last number, else the last formula."""
    if gold.kind is Kind.QUANTITY:
        return closing_number(text)
    if is_clock(gold.text):
        return last_time(text)
    if RATIO.fullmatch(gold.text) and (ratio := _last_ratio(text[-TAIL:])):
        return ratio
    formulas = [] if _is_plain_after_formulas(text) else stated_formulas(text)
    if gold.kind is Kind.ITEMS and len(formulas) > 1 and read(formulas[-1]).kind is not Kind.ITEMS:
        values = list(takewhile(_is_value, reversed(formulas)))
        return ", ".join(reversed(values) if len(values) > 1 else formulas)
    return formulas[-1] if formulas else None


def _is_value(formula: str) -> bool:
    """Whether a formula is a quantity or says what a variable is: `x = 5`, and not `x - 5 = 0`."""
    named = NAMED.match(formula)
    return read(formula[named.end() :] if named else formula).quantity is not None


def _last_ratio(text: str) -> str | None:
    """The last ratio of a text, said with `to` or a colon, as the latter has it."""
    ratios = [ratio for ratio in RATIO_SAID.finditer(text) if not is_denied(text, ratio)]
    return f"{ratios[-1][1]}:{ratios[-1][2]}" if ratios else None


def _stated(text: str, gold: Reading) -> str | None:
    """What the last sentence says that something is, where that alone is an answer: `So we get 2x + 3.`"""
    if gold.kind is Kind.QUANTITY:
        return None
    if gold.kind is Kind.WORDS or words_of(gold.text):
        return _stated_in_words(text, gold)
    statement = last_statement(text)
    if statement is None or (gold.kind is Kind.ITEMS and read(statement.formula).kind is not Kind.ITEMS):
        return None
    if gold.is_equation and statement.subject and not RELATION.search(statement.formula):
        return f"{statement.subject} = {statement.formula}"
    return statement.formula


def _stated_in_words(text: str, gold: Reading) -> str | None:
    if gold.is_equation or COPULA.search(gold.text):
        return None
    line = _last_line(text, gold) or ""
    starts = [copula.end() for copula in COPULA.finditer(line)][-1 if gold.kind is Kind.WORDS else -MOST_STATED :]
    return next((line[start:] for start in starts if _is_answer(line[start:], gold)), None)


def _is_plain_after_formulas(text: str) -> bool:
    """Whether a formula in plain text is stated after the last one between marks: `The value of $x$ is 2y.`"""
    end = max(text.rfind(mark) for mark in ("$", "\\)", "\\]"))
    statement = last_statement(text) if end >= 0 else None
    return statement is not None and statement.is_given and text.rfind(statement.formula) > end


def _listed(text: str, gold: Reading) -> str | None:
    """The last list of numbers, where the gold is one: `The vertex is at (5, 7).`"""
    lists = LIST.findall(_last_line(text, gold) or "") if gold.kind is Kind.ITEMS else []
    return lists[-1] if lists else None


def _last_line(text: str, gold: Reading) -> str | None:
    if gold.kind is Kind.QUANTITY:
        return None
    lines = [line.strip() for line in text[-TAIL:].splitlines() if re.search(r"\w", line)]
    return lines[-1] if lines else None


def _last_name(text: str, gold: Reading) -> str | None:
    """The last line, but of a sentence around a name nothing tells which of its words is the answer."""
    line = _last_line(text, gold)
    return None if line is None or (gold.kind is Kind.WORDS and _is_wordier(line, gold)) else line
