"""What a hint leaves in a sample that learnt nothing from it, found by plain words (arXiv 2411.00750, limitations).

A correct answer can stand under a solution that is a copy, that points at a hint nobody will see in training, or that
is no solution at all. Each is told apart, so that each can be counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selfimprove_workers.guidance.base import Leak, Reference
from selfimprove_workers.guidance.golds import without_gold
from selfimprove_workers.guidance.markup import without_markup, words_and_numbers
from selfimprove_workers.tasks.phrases import prose_words

NGRAM = 8
"""Words that stand together by more than chance."""
MOST_COPIED = 0.5
"""The share of a sample's n-grams that may be the reference's."""
LEAST_WORDS = 5
"""What is said beside an answer in fewer words, without another number, explains nothing."""

_GIVEN = r"(?:given|provided|shown|stated|mentioned|reference|suggested|supplied)"
_SHOWN = r"(?:answer|solution|hint|result|explanation|reasoning)"
_CHOICES = r"(?!\s+(?:choices?|options?|key|sheet|set)\b)"
_REMARK = (
    r"(?:feedback|correction|critique|hint|comments?|clarification|explanation|guidance|advice|suggestions?|reminder"
    r"|(?:your|the)\s+help|patience|pointing|noting|noticing|correcting|catching|telling|showing|explaining|clarifying"
    r"|reminding)"
)
_FAULT = r"(?:mistakes?|errors?|oversight|confusion|miscalculation|slip|misunderstanding|misreading)"
_HINT_PHRASES = re.compile(
    rf"""
    \bas\s+(?:was\s+|already\s+)?(?:given|provided|suggested|supplied|you\s+(?:said|pointed\s+out|mentioned|noted))\b
    | \byou(?:['’]ve|\s+have)?\s+(?:rightly\s+|correctly\s+)?(?:pointed\s+out|(?:gave|provided|showed|told)\s+me)\b
    | \b{_GIVEN}\s+(?:final\s+|correct\s+)?{_SHOWN}\b{_CHOICES}
      (?!\s+(?:of|from)\s+(?:the\s+)?(?:\w+\s+)?(?:step|part|line|equation)s?\b)
    | \b{_SHOWN}\s+(?:is|was|that\s+(?:is|was)|has\s+been)\s+(?:already\s+)?(?:given|provided|shown\s+above)\b
      (?!\s+(?:in\b(?!\s+the\s+(?:solution|prompt)\b)|as\b(?!\s+\W{{0,2}}\d)|by\b))
    | \b{_SHOWN}\s+(?:that\s+)?(?:you(?:['’]ve|\s+have)?|i\s+(?:was|have\s+been))\s+
      (?:gave|given|provided|shown|showed|told|mentioned|suggested|supplied)\b
    | \b(?:according\s+to|based\s+on|as\s+in|following|per)\s+(?:the|this|your)\s+(?:above\s+)?
      (?:answer|solution|hint|explanation|feedback|critique|correction)\b{_CHOICES}
    | \bthe\s+hint\b | \byour\s+(?:hint|feedback|critique|correction|comments?|suggestion|advice|guidance)\b
    | \b(?:my\s+(?:previous|earlier|first|last|original|initial)|the\s+previous)\s+(?:attempt|answer|solution)\b
    | \bmy\s+(?:(?:previous|earlier|first|last|own)\s+)?{_FAULT}\b | \bmy\s+apologies\b
    | (?:\A\W*|[.!?,\n]\s*|\bi(?:\s+am|['’]m)\s+(?:so\s+|very\s+)?)sorry\s+(?:for|about)\s+(?:my|the|that|this)\s+
      (?:\w+\s+)?{_FAULT}\b
    | \bthank(?:s|\s+you)(?:\s+(?:so\s+|very\s+)?much|\s+a\s+lot)?\s+for\s+(?:(?:the|your|this|that)\s+)?(?:\w+\s+)?
      {_REMARK}\b
    | (?<!\bif\s)\byou(?:['’]re|\s+(?:are|were))\s+(?:absolutely\s+|quite\s+|completely\s+|indeed\s+)?(?:right|correct)
      (?=\s*(?:[,.!;:–—]|-\s|$|\b(?:that|about|and\s+i)\b))
    | \bgood\s+catch\b | \b(?:corrected|revised)\s+(?:solution|answer|attempt|version)\b
    | \b(?:my|your)\s+own\s+words\b | \bdo\s+not\s+(?:copy|mention)\s+it\b
    | \bi\s+(?:apologi[sz]e|made\s+(?:a|an)\s+(?:mistake|error))\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What answers a remark, or points at a text that is not there. "As shown above" is most often the sample's own."""
_NO_HINT = re.compile(
    r"[\s,]+(?:by\b|below\b|in\s+the\s+(?:problem|question|exercise|task|statement)\b)", re.IGNORECASE
)
"""What makes a phrase point at the question, or at a formula."""
_A_LIQUID = re.compile(
    rf"(?<!according\sto\sthe\s)(?<!based\son\sthe\s)(?<!following\sthe\s){_GIVEN}\s+solution\b", re.IGNORECASE
)
"""What may be poured, in a question of solutions that are: not `according to the provided solution`."""
_OF_LIQUIDS = re.compile(
    r"\b(?:acid|salt|saline|alcohol|sugar|concentrat\w+|dissolv\w+|dilut\w+|lit(?:er|re)s?|ml|mixture)\b", re.IGNORECASE
)
_EMPTY_WORDS = re.compile(
    "(a|an|and|answer|are|be|boxed|correct|final|get|have|hence|is|it|of|result|so|solution|text|that|the|then|therefore"
    "|this|thus|to|we)"
)


def leak_of(
    looked_for: frozenset[Leak],
    said: str,
    question: str,
    reference: Reference,
    prefix: str = "",
    is_solved: bool = False,
) -> Leak | None:
    """The first leak, of those that are looked for, in what the model said itself; None where there is none.

    `prefix`: the beginning of the reference that it was given, and need not say again; `is_solved`: that alone is a
    right answer, whatever was said after it.
    """
    answer, rationale = reference.answer, reference.rationale
    for leak in (each for each in Leak if each in looked_for):
        if leak is Leak.COPY and rationale is not None and copies(said, rationale, question, prefix):
            return leak
        if leak is Leak.SPOKEN_OF and speaks_of_hint(said, question):
            return leak
        if leak is Leak.NO_REASONING and answer is not None and is_bare(said, answer, reference.option):
            return leak
        if leak is Leak.NOTHING_ADDED and is_solved:
            return leak
    return None


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


def speaks_of_hint(said: str, question: str = "") -> bool:
    """Whether a text points at something that only a hint could have shown: "as given", "the provided answer"."""
    is_of_liquids = "solution" in question.casefold() and _OF_LIQUIDS.search(question)
    return any(
        not _NO_HINT.match(said, found.end())
        and found[0].casefold() not in question.casefold()
        and not (is_of_liquids and _A_LIQUID.match(said, found.start()))
        for found in _HINT_PHRASES.finditer(said)
    )


def is_bare(said: str, answer: str, option: str | None = None) -> bool:
    """Whether a text gives the answer and says no more: no other number, and fewer than `LEAST_WORDS` words."""
    rest = without_gold(said, answer, option)
    words = [word for word in _words(rest) if word[0].isalnum() and not _EMPTY_WORDS.fullmatch(word)]
    return rest != said and len(words) < LEAST_WORDS and not any(word[0].isdigit() for word in words)


def _prose(text: str) -> list[str]:
    return prose_words(without_markup(text))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.casefold())


def _ngrams(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + NGRAM]) for at in range(len(words) - NGRAM + 1)}
