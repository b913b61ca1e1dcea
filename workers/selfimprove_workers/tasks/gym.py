"""Gym: tasks of reasoning_gym, each checked by its dataset's own scorer.

The scorers are graded and differ in what they tolerate: "the answer is 5" scores 0.1 with one and 1.0 with another, and
some take the first number they meet. So the answer is extracted first, and only a score of 1.0 is Correct.

Where the gold is no number, one answer is chosen by the response alone (`claims`), and the scorer is asked of it as it
is written and undressed of markup (`dress`); a plain word (`Yes`) is right in any case and behind an article, and of an
expression that comes to countdown's target (`12 * 14 + 1 = 169`) the left side counts. Of a gold of several lines, as a
grid or a list of moves, the answer may be a fenced block, the whole response or as many lines at its end. Of the gold
nothing chooses the answer but its form: whether it is a number, a JSON object, and how many lines it has.

Strict: the answer stands alone in a channel (`\\boxed`, `<answer>`, after `####`, after "the answer is") or is the
whole response, in the form that the gold has; as for Math, an answer merely found in a sentence is not strict.

Where the gold is a number, a sum that is not worked out is Wrong, as for Math.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from selfimprove_workers.tasks.abroad import declared_anywhere
from selfimprove_workers.tasks.aligned import without_rows
from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.tasks.claims import FENCE, claim_of
from selfimprove_workers.tasks.closing import closing_number
from selfimprove_workers.tasks.corrections import corrected
from selfimprove_workers.tasks.dress import one_spelling, same_word, spellings, undressed, without_latex
from selfimprove_workers.tasks.emphasis import leading_bold
from selfimprove_workers.tasks.equality import Kind, canonical, comes_to, is_unevaluated, read
from selfimprove_workers.tasks.explained import explained_answer
from selfimprove_workers.tasks.extract import Found, declared, final_part, without_denials
from selfimprove_workers.tasks.judging import bench
from selfimprove_workers.tasks.numbers import Quantity, spelled
from selfimprove_workers.tasks.phrases import last_number, leading_number, sentence
from selfimprove_workers.tasks.precision import without_precision
from selfimprove_workers.tasks.retractions import without_retracted
from selfimprove_workers.tasks.sums import without_shown_sums
from selfimprove_workers.tasks.text import with_plain_commas

MAX_LENGTH = 20000
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?", re.ASCII)
EXPRESSION = re.compile(r"[\d\s()+*/×÷−-]{1,200}", re.ASCII)
WORDS_AND_EXPRESSION = re.compile(
    r"[A-Z][^\n=+*/]{1,60}\s(?:as|is|with|using)[\s:]+(?P<expression>[\d(][\d\s()+*/×÷−-]{1,200})", re.ASCII
)
"""`We can make 24 as 4 * 6`."""


class Gym:
    """The checker of reasoning_gym tasks. `extra`: {gym: name, config: ..., entry: the item as generated}."""

    name = "Gym"
    at_once = 1

    def check(self, response: str, answer: str, extra: Mapping[str, Any] | None, truncated: bool = False) -> Check:
        """See `tasks.base.Task`. An empty gold is one that only the scorer knows."""
        if not extra or "entry" not in extra:
            return Check(Verdict.GOLD_UNPARSABLE, Verdict.GOLD_UNPARSABLE)
        region = _region(response, answer)
        claim = _claim(region, answer)
        if truncated or not claim:
            missing = Verdict.TRUNCATED if truncated else Verdict.NO_ANSWER
            return Check(missing, missing, _counted(claim, answer))
        verdict = self._best(claim, answer, extra)
        alone = _alone(region, answer)
        strict = Verdict.NO_ANSWER
        if _has_form(alone, answer):  # what cost too much once is not tried again in another form
            strict = verdict if verdict is Verdict.TIMEOUT else self._score(alone, answer, extra)
        return Check(verdict, strict, _counted(claim, answer))

    def extract(self, response: str, extra: Mapping[str, Any] | None = None) -> str | None:
        """The answer a response gives; the entry's own answer tells only its form."""
        gold = str((extra or {}).get("entry", {}).get("answer") or "")
        return _counted(_claim(_region(response, gold), gold), gold)

    def _best(self, claim: Sequence[str], gold: str, extra: Mapping[str, Any]) -> Verdict:
        """The verdict of the first spelling of an answer that settles it, right or too costly to score."""
        if any(same_word(gold, reading) for reading in claim):
            return Verdict.CORRECT
        spelled = claim if _is_number(gold) else chain.from_iterable(map(spellings, reversed(claim)))
        spelled = chain(spelled, _left_sides(claim, extra))
        verdicts = (self._score(candidate, gold, extra) for candidate in dict.fromkeys(spelled) if candidate)
        return next((verdict for verdict in verdicts if verdict is not Verdict.WRONG), Verdict.WRONG)

    def _score(self, candidate: str, gold: str, extra: Mapping[str, Any]) -> Verdict:
        if gold and candidate == gold:
            return Verdict.CORRECT
        value, wanted = _number(candidate), _number(gold)
        if wanted is not None:
            if value is None:
                return Verdict.WRONG
            if value.value == wanted.value:
                return Verdict.CORRECT
            if (value.value < 0) != (wanted.value < 0):  # a scorer may forgive a rounding, never a sign
                return Verdict.WRONG
            candidate = spelled(value)
        return _scored(candidate, _Entry(extra))


class _Entry:
    """An entry that a cache can know by its identity: the same prompt is checked many times."""

    def __init__(self, extra: Mapping[str, Any]) -> None:
        self.extra = extra
        entry = extra["entry"]
        self._key = (extra["gym"], repr(extra.get("config")), repr(entry))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Entry) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=16384)
def _scored(candidate: str, entry: _Entry) -> Verdict:
    """The dataset's own scorer, in a judge process: some parse formulas, some are slow."""
    extra = entry.extra
    request = {"name": extra["gym"], "config": extra.get("config") or {}, "entry": extra["entry"], "answer": candidate}
    found = bench("gym").ask(request)
    return {"equal": Verdict.CORRECT, "timeout": Verdict.TIMEOUT}.get(found, Verdict.WRONG)


def _number(text: str) -> Quantity | None:
    """A plain number: no unit, no percent sign, nothing that a scorer would trip over."""
    quantity = read(text).quantity if len(text) < 100 and NUMBER.fullmatch(text) else None
    return quantity if quantity and not quantity.percent else None


def _region(response: str, gold: str) -> str:
    """The part of a response in which its answer stands."""
    region = (final_part(response) or "")[-MAX_LENGTH:]
    return corrected(without_retracted(region) if _is_number(gold) else region)


def _declared(text: str, gold: str) -> Found | None:
    """What a text declares; a gold that is a JSON object may have keys of its own that are called so."""
    found = declared(text) if _is_number(gold) else declared_anywhere(text)
    return None if found and found.channel == "key" and gold.lstrip().startswith("{") else found


def _claim(text: str, gold: str) -> tuple[str, ...]:
    """The readings of the one answer that a text gives, the longest first."""
    if _is_number(gold):
        return tuple(dict.fromkeys(_numbers(text)))
    found = _declared(text, gold)
    if "\n" not in gold:
        return claim_of(text, found)
    if found is not None:
        return (f"{found.payload}\n{found.after}".strip(),)
    whole = text.strip()
    fences = [fence["inner"].strip() for fence in FENCE.finditer(whole)]
    lines = "\n".join(whole.split("\n")[-1 - gold.count("\n") :])
    return tuple(dict.fromkeys(text for text in (whole, lines, *fences[-1:]) if text))


def _numbers(text: str) -> Iterator[str]:
    """The number that a text gives. Where a channel declares one, that and nothing else."""
    text = without_precision(without_shown_sums(with_plain_commas(without_rows(text, with_bare=False))))
    found = declared(text)
    if found is not None:
        yield from (_worked_out(form, text) for form in _forms(found.payload))
        return
    whole = text.strip()
    first = explained_answer(text)
    if first is not None and read(first).kind is Kind.QUANTITY:
        whole = first
    number = whole if _number(whole) else closing_number(without_denials(whole))
    yield from [canonical(number)] if number else []


def _alone(text: str, gold: str) -> str:
    """What strict grading looks at: all that a channel holds, else the whole response."""
    found = _declared(with_plain_commas(text) if _is_number(gold) else text, gold)
    if found is None or ("\n" in gold and not found.is_closed):
        return text.strip()
    if found.is_closed:
        return found.payload
    return sentence(found.payload) if _is_number(gold) else found.payload.strip(" *`$").rstrip(".")


def _forms(text: str) -> Iterator[str]:
    """A declared number, and nothing else."""
    phrase = sentence(text)
    said = read(phrase)  # of two numbers neither is the answer
    is_whole = _number(phrase) or said.kind is Kind.ITEMS
    number = (
        phrase
        if is_whole
        else leading_number(phrase) or leading_bold(phrase) or last_number(phrase) or last_number(text)
    )
    if number or is_unevaluated(said):  # a sum as it is written: without its spaces `55 - 73` may be a range
        yield phrase if is_unevaluated(said) else canonical(number or "")


def _worked_out(form: str, text: str) -> str:
    """What a declared sum comes to, where the rest of the text says it; else the form as it is."""
    said = read(form)
    number = last_number(without_denials(text)) if is_unevaluated(said) else None
    return canonical(number) if number and comes_to(said, number) else form


def _counted(claim: Sequence[str], gold: str) -> str | None:
    """The answer as it is shown and counted: one spelling of the shortest reading."""
    if not claim:
        return None
    return canonical(claim[-1]) if _is_number(gold) else one_spelling(claim[-1]) or claim[-1]


def _left_sides(claim: Sequence[str], extra: Mapping[str, Any]) -> Iterator[str]:
    """What a claim of countdown says that comes to the target."""
    target = (extra["entry"].get("metadata") or {}).get("target") if extra["gym"] == "countdown" else None
    for reading in claim if target is not None else ():
        left, _, right = undressed(without_latex(reading)).rpartition("=")
        if right.strip() == str(target) and EXPRESSION.fullmatch(left):
            yield from spellings(left)
        ends = WORDS_AND_EXPRESSION.fullmatch(undressed(without_latex(reading)))
        if ends:
            yield from spellings(ends["expression"])


def _is_number(gold: str) -> bool:
    return NUMBER.fullmatch(gold) is not None


def _has_form(text: str, gold: str) -> bool:
    """Whether a response can be the answer alone: as many lines as the gold, no words that the gold has not."""
    if text == gold and gold:
        return True
    if _is_number(gold):
        return _number(text) is not None
    words = set(re.findall(r"[A-Za-z]{2,}", gold))
    return bool(text) and text.count("\n") == gold.count("\n") and set(re.findall(r"[A-Za-z]{2,}", text)) <= words
