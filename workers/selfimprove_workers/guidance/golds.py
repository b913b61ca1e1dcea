"""Where a text holds the gold answer, read as the graders read it: 5000.5 in `$5,000.50`, 48 in `48km`.

A number may stand there in words, too: 12 in `a dozen`. What is none is looked for as it is written, and as LaTeX and
plain text write it in other ways (`spellings`). Of a choice the option's own text gives the answer away too, and of an
answer of several values (`several`) each of them, told one by one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from selfimprove_workers.guidance.evened import evened
from selfimprove_workers.guidance.markup import UNSPACED
from selfimprove_workers.guidance.number_words import spoken_numbers
from selfimprove_workers.guidance.several import last_told, values_of
from selfimprove_workers.guidance.spellings import spelt
from selfimprove_workers.tasks.equality import read, same_quantity
from selfimprove_workers.tasks.numbers import DECIMAL, Quantity
from selfimprove_workers.tasks.phrases import NUMBER

_PLAIN_NUMBER = re.compile(DECIMAL, re.ASCII)
_RATIO = re.compile(r"/|frac")
_BEGINS = re.compile(r"(?:\A|[.!?:\n]|\d[.)]|\([a-z]\)|[•#–—-])[\s\"'“(*_-]*\Z")
_NOUN_OR_VERB = re.compile(
    r"['’](?!s\b)|\s+(?:[A-Z\d]|(?:gas|lens|series|species|[a-z]+us)\b|(?!(?:and|or|nor|but|because|since|as|if|when|while|that"
    r"|which|not|rather|instead|alone|only|also|still|again|best|most|better|would|could|can|cannot|must|should|may|might|will"
    r"|did|do|had|have|were|are|in|on|at|by|to|of|for|from|with|over|against|here|then|too|[a-z]+ly|[a-z]+n['’]t"
    r"|[a-z]*[^s\W]s)\b)[a-z])"
)
"""What follows an article or a pronoun, and no label: of that one says what it `is`, `describes` or `has`."""


def gold_position(text: str, answer: str | None, option: str | None = None) -> int:
    """Where the gold, or the text of the option that it names, first stands in a text as a thing of its own.

    72 is not in 172. The text's length where it stands nowhere. Of several values told apart, where the last is told.
    """
    return min((_position(text, gold) for gold in golds_of(answer, option)), default=len(text))


def gold_spans(text: str, gold: str) -> Iterator[tuple[int, int]]:
    """Where each gold begins and ends, in no order; one may stand inside another."""
    return _spans(text, gold, (_plain, _composed, _spoken, spelt))


def golds_of(answer: str | None, option: str | None) -> list[str]:
    """Whatever of an answer and the option that it names says anything."""
    return [gold for gold in (answer, option) if gold and gold.strip()]


def without_gold(text: str, answer: str, option: str | None = None, instead: str = " ") -> str:
    """The text with something else, a space, in place of every gold; a sum that comes to it, as 24/2 for 12, stays."""
    golds = golds_of(answer, option)
    kept, end = [], 0
    for start, stop in sorted(span for gold in golds for span in _spans(text, gold, (_plain, _spoken, spelt))):
        if stop > end:
            kept.append(text[end : max(start, end)])
            end = stop
    return instead.join([*kept, text[end:]])


def option_of(answer: str | None, question: str, extra: Mapping[str, Any] | None) -> str | None:
    """The text of the option that the answer is the label of, as the task knows it or the question lists it."""
    label = (answer or "").strip()
    listed: Sequence[Mapping[str, Any]] = (extra or {}).get("choices") or []
    if listed:
        return next((str(choice["text"]) for choice in listed if str(choice["label"]) == label), None)
    if not re.fullmatch("[A-J]", label):
        return None
    found = re.search(rf"^\W{{0,3}}{label}[).\]:]+[^\S\n]*(\S.*)$", question, re.MULTILINE)
    return found[1].strip() if found else None


def _spans(
    text: str, gold: str, ways: Sequence[Callable[[str, str], Iterator[tuple[int, int]]]]
) -> Iterator[tuple[int, int]]:
    """What some ways find, in one spelling of text and gold."""
    even, wanted = evened(text), evened(gold).text
    yield from (even.span(*span) for way in ways for span in way(even.text, wanted))


def _position(text: str, gold: str) -> int:
    values = [(many, list(gold_spans(text, value))) for value, many in Counter(values_of(gold)).items()]
    return min([last_told(text, values), *(start for start, _ in gold_spans(text, gold))])


def _plain(text: str, gold: str) -> Iterator[tuple[int, int]]:
    """The gold as it is written, and every plain number that equals it."""
    found = (each.span() for each in _written(gold.strip()).finditer(text))
    yield from ((start, stop) for start, stop in found if not _is_word(text, start, stop))
    quantity = _quantity(gold)
    if quantity is not None:
        yield from (found.span() for found in _PLAIN_NUMBER.finditer(text) if _equals(quantity, found[0]))


def _is_word(text: str, start: int, stop: int) -> bool:
    """Whether a letter is no label: the article of `A plant makes sugar`, where a sentence begins, or `I know`."""
    letter = text[start:stop]
    if letter not in ("A", "I") or not _NOUN_OR_VERB.match(text, stop):
        return False
    return letter == "I" or _BEGINS.search(text, max(0, start - 8), start) is not None


def _composed(text: str, gold: str) -> Iterator[tuple[int, int]]:
    """Every number of several parts that equals the gold: -5, 1/2, 2 million. A division is no whole number yet."""
    quantity = _quantity(gold)
    if quantity is None:
        return
    is_whole = quantity.value == int(quantity.value)
    for found in NUMBER.finditer(text):
        if not (is_whole and _RATIO.search(found[0])) and _equals(quantity, found[0]):
            yield found.span()


def _spoken(text: str, gold: str) -> Iterator[tuple[int, int]]:
    """Every number in words that equals the gold."""
    quantity = _quantity(gold)
    if quantity is not None:
        for start, stop, found in spoken_numbers(text):
            if same_quantity(quantity, found, percent_asked=True):
                yield start, stop


def _written(gold: str) -> re.Pattern[str]:
    letter = rf"[^\W{UNSPACED}]"
    before = rf"(?<!{letter})(?<!\.)(?<!\d,)" if gold[0].isdigit() else f"(?<!{letter})"  # no end of a longer number
    return re.compile(rf"{before}{re.escape(gold)}(?!{letter}|[.,]\d)", re.IGNORECASE if len(gold) > 1 else re.NOFLAG)


def _quantity(text: str) -> Quantity | None:
    """The number without its unit: a text may leave it out."""
    found = read(text).quantity
    return found._replace(unit="") if found else None


def _equals(gold: Quantity, number: str) -> bool:
    found = _quantity(number)
    return found is not None and same_quantity(gold, found, percent_asked=True)
