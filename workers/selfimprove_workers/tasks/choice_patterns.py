"""The patterns by which a response names a choice, each for the labels that a question has.

Of texts as `assertions` leaves them: a choice's own text stands there as its label in brackets.
"""

from __future__ import annotations

import re
from functools import lru_cache

from selfimprove_workers.tasks.assertions import PART, name_of


@lru_cache(maxsize=256)
def claim(labels: tuple[str, ...]) -> re.Pattern[str]:
    """`the answer is B`, `so B`, `B is correct`, `the option is B) Mars` where nobody said that this is a text of B."""
    name = name_of(labels)
    return re.compile(
        r"(?i:\b(?:it|this|that|which|one|answer|option|choice|letter|correct|response|statement|solution|ans)(?:\s+(?:is|was|(?:must|should|has\s+to|would|will"
        r"|can\s+only)\s+be)\b|['’]s\b|:(?![\s*_]*\n))|\b(?:answer|ans|solution)\s+[–—-]|(?:→|⇒|=>|->)"
        r"|\b(?:this|that|it|which)\s+(?:matches|corresponds\s+to)\b|\b(?:so|thus|hence|therefore|but|choose|pick|select|say|conclude|guess"
        r"|go(?:ing)?\s+with|leaves|leaving|left\s+with)\b)(?:[\s,]|:(?!\s*\n))*"
        r"(?i:(?:that|then|it|is|it['’]s|this|the|only|us|clearly|most|likely|probably|definitely|therefore|thus|correct|right"
        r"|best|final|answer|one|be|must|option|choice|letter)\b(?:[\s,]|:(?!\s*\n))*){0,8}"
        rf"{name}(?=\s*(?:[.,;:!⟦\n]|\Z)|\s+(?:because|since|as|for)\b|\s+[–—-]{{1,2}}\s*(?:\n|\Z|(?<=\s)(?:it|this|they)\b))"
        rf"|{name.replace('?P<label>', '?P<second>')}[.:]?(?:\s*⟦\w+⟧)?"
        r"\s*(?:[:=–—-]\s*|(?i:is|are|was|must\s+be|would\s+be|seems|looks|sounds|fits|makes)\s+)"
        r"(?i:(?:the|a|clearly|definitely|most|very|only|obviously|probably|therefore|thus|our|my|final)\s+){0,4}"
        r"(?i:correct|right|best|true|answer|accurate|sense|appropriate|suitable|likely)\b"
        rf"|(?i:\b(?:option|choice|letter|one)\s+(?:is|was|must\s+be|should\s+be))[\s:]+"
        rf"{name.replace('?P<label>', '?P<third>')}(?<=[)\]*])\s+(?=[A-Z0-9])"
    )


@lru_cache(maxsize=256)
def stated(labels: tuple[str, ...]) -> re.Pattern[str]:
    """A choice's text that a sentence ends with."""
    any_label = either(labels)
    return re.compile(
        r"(?:=|\b(?i:is|are|equals|gives|called))[\s*]+(?i:the\s|an?\s)?"
        rf"(?:[(\[*]{{0,3}}(?:{any_label})[)\].:*]{{1,3}}\s*)?⟦(?P<label>{any_label})⟧[\s*]*(?=[.!\n]|\Z)"
    )


@lru_cache(maxsize=256)
def text_alone(labels: tuple[str, ...]) -> re.Pattern[str]:
    """A choice's text that is a text's whole first sentence: `Mitochondria.`"""
    return re.compile(rf"\W{{0,6}}⟦(?P<label>{either(labels)})⟧[*_]{{0,3}}(?:\.|\n)")


@lru_cache(maxsize=256)
def another(labels: tuple[str, ...]) -> re.Pattern[str]:
    """`B is also right`: a second answer beside the first."""
    return re.compile(
        rf"{name_of(labels)}\s+(?:(?i:is|are|was|could\s+be|might\s+be|may\s+be|would\s+be|seems|works)\s+)?"
        r"(?i:also|too(?=\s*(?:[.,;:!\n]|\Z))|as\s+well|equally)\b"
        rf"|\b(?i:possibly|or\s+maybe|perhaps\s+also|also|or)\s+{name_of(labels).replace('?P<label>', '?P<second>')}"
        r"(?=\s*(?:[.,;:!⟦\n]|\Z))"
    )


@lru_cache(maxsize=256)
def leading(labels: tuple[str, ...]) -> re.Pattern[str]:
    """The label that a text begins with: `B) because ...`, `(B) ...`, `B. ...`, `option B`, `B – because`."""
    name = name_of(labels)
    return re.compile(rf"\W{{0,6}}{name}(?:(?<=[)\]*])|[:.,]|\s*\Z|(?:\s+[–—-]+)?\s+(?:because|since|as)\b)")


@lru_cache(maxsize=256)
def named(labels: tuple[str, ...]) -> re.Pattern[str]:
    """A label that can be nothing else: `option B`, `(B)`, `answer B`; `B is` at the beginning of a clause."""
    name = name_of(labels)
    return re.compile(
        rf"(?=(?i:option|choice|letter)\s|[(\[]){name}"
        rf"|(?m:^)\W{{0,3}}{name.replace('?P<label>', '?P<second>')}\s+is\b"
        rf"|(?=(?i:answer)\s){name.replace('?P<label>', '?P<third>')}(?=\s*(?:[.,;:!⟦\n]|\Z))"
    )


@lru_cache(maxsize=256)
def in_words(labels: tuple[str, ...]) -> re.Pattern[str]:
    """A choice named by its text."""
    return re.compile(rf"⟦(?P<label>{either((*labels, PART))})⟧")


def either(labels: tuple[str, ...]) -> str:
    """The pattern of any of the labels."""
    return "|".join(map(re.escape, labels))
