"""What a hint leaves in a sample that learnt nothing from it, found by plain words (arXiv 2411.00750, limitations).

A correct answer can stand under a solution that is a copy, that points at a hint nobody will see in training, or that
is no solution at all. Each is told apart, so that each can be counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove_workers.guidance.bare import is_bare, says_it_at_once
from selfimprove_workers.guidance.base import Leak, Reference
from selfimprove_workers.guidance.framing import Frame
from selfimprove_workers.guidance.markup import without_markup, words_and_numbers
from selfimprove_workers.guidance.programs import only_prints
from selfimprove_workers.guidance.speech import speaks_of_hint
from selfimprove_workers.tasks.phrases import prose_words

VERSION = "leaks-8"
"""Of what is dropped: hashed into the manifest."""
NGRAM = 8
"""Words that stand together by more than chance."""
MOST_COPIED = 0.5
"""The share of a sample's n-grams that may be the reference's."""
_NO_FRAME = Frame()


def leak_of(
    looked_for: frozenset[Leak],
    said: str,
    question: str,
    reference: Reference,
    prefix: str = "",
    is_solved: bool = False,
    frame: Frame = _NO_FRAME,
) -> Leak | None:
    """The first leak, of those that are looked for, in what the model said itself; None where there is none.

    `prefix`: the beginning of the reference that it was given, and need not say again, so that a beginning of a
    way in it is one; `is_solved`: that alone is a right answer, whatever was said after it. `frame`: what kind of
    hint was shown, and what its template says around it.
    """
    rationale = reference.rationale
    for leak in (each for each in Leak if each in looked_for):
        if leak is Leak.COPY and rationale is not None and copies(said, rationale, question, prefix):
            return leak
        if leak is Leak.SPOKEN_OF and speaks_of_hint(said, question, reference, frame):
            return leak
        if leak is Leak.NO_REASONING and reference.answer is not None and _is_bare(said, prefix, reference, question):
            return leak
        if leak is Leak.NOTHING_ADDED and is_solved:
            return leak
    return None


def _is_bare(said: str, prefix: str, reference: Reference, question: str) -> bool:
    answer, option = reference.answer or "", reference.option
    if only_prints(prefix + said, answer, option):
        return True
    return says_it_at_once(prefix + said, answer, option) if prefix else is_bare(said, answer, option, question)


def copies(said: str, rationale: str, question: str = "", prefix: str = "") -> bool:
    """Whether a text is the reference, or mostly made of its 8-grams. What the question says too is nobody's copy.

    Words and numbers are compared, without what sets them: signs, markup, list marks, `Step 2:`, `<<48/2=24>>`.

    What goes on from a prefix was shown no more than that: to say the rest is to know it by heart, or to have no other
    way to go on. Numbers and formulas are forced by what stands before, so only words tell, 8 of them in a row:
    those of `prose_words`, which are of two letters or more and no formula's own (and, or, sin).
    """
    words = _prose if prefix else words_and_numbers
    own, theirs, asked = (words(text.casefold()) for text in (said, rationale, question))
    if own and own == theirs and not prefix:
        return True
    grams = _ngrams(own) - _ngrams(asked)
    return len(grams & _ngrams(theirs)) > MOST_COPIED * len(grams)


def _prose(text: str) -> list[str]:
    return prose_words(without_markup(text))


def _ngrams(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + NGRAM]) for at in range(len(words) - NGRAM + 1)}
