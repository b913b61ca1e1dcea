"""Gym: tasks of reasoning_gym, each checked by its dataset's own scorer.

The scorers are graded and differ in what they tolerate: "the answer is 5" scores 0.1 with one and 1.0 with another, and
some take the first number they meet. So the answer is extracted first, and only a score of 1.0 is Correct. The raw
response is scored only as a whole answer, where nothing was declared: a grid or a list of moves has no other form.

Strict: the answer stands alone in a channel (`\\boxed`, `<answer>`, after `####`, after "the answer is") or is the
whole response, in the form that the gold has; as for Math, an answer merely found in a sentence is not strict.

Where the gold is a number, a sum that is not worked out is Wrong, as for Math.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.tasks.corrections import corrected
from selfimprove_workers.tasks.equality import Kind, canonical, comes_to, is_unevaluated, read
from selfimprove_workers.tasks.extract import Found, declared, final_part, without_denials
from selfimprove_workers.tasks.judging import bench
from selfimprove_workers.tasks.numbers import Quantity, spelled
from selfimprove_workers.tasks.phrases import last_number, leading_number, sentence
from selfimprove_workers.tasks.sums import without_shown_sums

MAX_LENGTH = 20000
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?", re.ASCII)
FENCE = re.compile(r"```[\w-]*\n(.*?)```", re.DOTALL)


class Gym:
    """The checker of reasoning_gym tasks. `extra`: {gym: name, config: ..., entry: the item as generated}."""

    name = "Gym"
    at_once = 1

    def check(self, response: str, answer: str, extra: Mapping[str, Any] | None, truncated: bool = False) -> Check:
        """See `tasks.base.Task`. An empty gold is one that only the scorer knows."""
        if not extra or "entry" not in extra:
            return Check(Verdict.GOLD_UNPARSABLE, Verdict.GOLD_UNPARSABLE)
        region = _region(response)
        candidates = list(dict.fromkeys(_candidates(region, answer)))
        if truncated or not candidates:
            missing = Verdict.TRUNCATED if truncated else Verdict.NO_ANSWER
            return Check(missing, missing, _shown(candidates[0], answer) if candidates else None)
        verdict, found = self._best(candidates, answer, extra)
        alone = _alone(region, answer)
        strict = Verdict.NO_ANSWER
        if _has_form(alone, answer):  # what cost too much once is not tried again in another form
            strict = verdict if verdict is Verdict.TIMEOUT else self._score(alone, answer, extra)
        return Check(verdict, strict, _shown(found, answer))

    def extract(self, response: str, extra: Mapping[str, Any] | None = None) -> str | None:
        """The answer a response gives; the entry's own answer tells only whether it is a number."""
        gold = str((extra or {}).get("entry", {}).get("answer") or "")
        first = next(_candidates(_region(response), gold), None)
        return _shown(first, gold) if first else None

    def _best(self, candidates: list[str], gold: str, extra: Mapping[str, Any]) -> tuple[Verdict, str]:
        """The first candidate that settles it, right or too costly to score; else the first."""
        for candidate in candidates:
            verdict = self._score(candidate, gold, extra)
            if verdict is not Verdict.WRONG:
                return verdict, candidate
        return Verdict.WRONG, candidates[0]

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


def _region(response: str) -> str:
    """The part of a response in which its answer stands."""
    return corrected((final_part(response) or "")[-MAX_LENGTH:])


def _declared(text: str, gold: str) -> Found | None:
    """What a text declares; a gold that is a JSON object may have keys of its own that are called so."""
    found = declared(text)
    return None if found and found.channel == "key" and gold.lstrip().startswith("{") else found


def _candidates(text: str, gold: str) -> Iterator[str]:
    """What may be the answer. Where a channel declares one, that and nothing else."""
    is_number = NUMBER.fullmatch(gold) is not None
    text = without_shown_sums(text) if is_number else text
    found = _declared(text, gold)
    if found is not None:
        forms = _forms(f"{found.payload}\n{found.after}" if "\n" in gold else found.payload, is_number)
        yield from (_worked_out(form, text) if is_number else form for form in forms)
        return
    whole = text.strip()
    if is_number:
        number = whole if _number(whole) else last_number(without_denials(whole))
        yield from [_shown(number, gold)] if number else []
        return
    fences = FENCE.findall(whole)
    yield from [fences[-1].strip()] if fences else []
    if whole:
        yield whole
        yield "\n".join(whole.split("\n")[-1 - gold.count("\n") :])


def _alone(text: str, gold: str) -> str:
    """What strict grading looks at: all that a channel holds, else the whole response."""
    found = _declared(text, gold)
    if found is None or ("\n" in gold and not found.is_closed):
        return text.strip()
    if found.is_closed:
        return found.payload
    return sentence(found.payload) if NUMBER.fullmatch(gold) else found.payload.strip(" *`$").rstrip(".")


def _forms(text: str, is_number: bool) -> Iterator[str]:
    """A declared answer as a scorer may want it: for a number only the number, else as it is and without markup."""
    if is_number:
        phrase = sentence(text)
        said = read(phrase)  # of two numbers neither is the answer
        is_whole = _number(phrase) or said.kind is Kind.ITEMS
        number = phrase if is_whole else leading_number(phrase) or last_number(phrase) or last_number(text)
        if number or is_unevaluated(said):  # a sum as it is written: without its spaces `55 - 73` may be a range
            yield phrase if is_unevaluated(said) else _shown(number or "", "0")
        return
    yield text.strip()
    yield text.strip(" *`$").rstrip(".").strip(" *`$")


def _worked_out(form: str, text: str) -> str:
    """What a declared sum comes to, where the rest of the text says it; else the form as it is."""
    said = read(form)
    number = last_number(without_denials(text)) if is_unevaluated(said) else None
    return _shown(number, "0") if number and comes_to(said, number) else form


def _shown(text: str, gold: str) -> str:
    return canonical(text) if NUMBER.fullmatch(gold) else text


def _has_form(text: str, gold: str) -> bool:
    """Whether a response can be the answer alone: as many lines as the gold, no words that the gold has not."""
    if text == gold and gold:
        return True
    if NUMBER.fullmatch(gold):
        return _number(text) is not None
    words = set(re.findall(r"[A-Za-z]{2,}", gold))
    return bool(text) and text.count("\n") == gold.count("\n") and set(re.findall(r"[A-Za-z]{2,}", text)) <= words
