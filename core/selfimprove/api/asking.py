"""What is asked of a judging model: the templates that are ours, by name, and what a template of a user's own must say.

A spec's `template` is either the name of one of ours or a text with holes; a text that leaves out what its method can't
do without (the range of the scores, the words that are read) would be found out only by scores that all are missing.
"""

from __future__ import annotations

from selfimprove.api.selecting import Labels, Method, MethodType
from selfimprove.api.trying import Holes, Load, flaw_of

TEMPLATES: dict[MethodType, tuple[str, ...]] = {
    "MultipleChoice": ("multiple-choice-1", "multiple-choice-arithmetic-1", "multiple-choice-choice-1"),
    "CoTScore": ("cot-score-1", "cot-score-arithmetic-1", "cot-score-choice-1"),
    "CoTBinary": ("cot-binary-1", "cot-binary-arithmetic-1", "cot-binary-choice-1"),
    "Tournament": ("tournament-1",),
}
"""Ours, the default first: it shows no examples; the others show four worked ones of the kind they are named after."""

VERDICTS = Labels(positive="Correct", negative="Incorrect")
"""The words that CoTBinary reads."""
LETTERS = Labels(positive="A", negative="B")
"""What Tournament reads where no labels are given."""
RANGE = (1, 10)
"""Lowest and highest score of CoTScore where no range is given (Mind the Gap, section 3)."""

COMMON = ("question", "response")
"""What every template may use: the last thing the user asked, and the sample's own text."""


def said(method: Method) -> dict[str, object]:
    """The values that a template of this method must say, in words or by their name, as `{{ name }}`."""
    if method.type == "CoTScore":
        low, high = method.range or RANGE
        return {"low": low, "high": high}
    labels = {"CoTBinary": VERDICTS, "Tournament": method.labels or LETTERS}.get(method.type, method.labels or Labels())
    return {"positive": labels.positive, "negative": labels.negative}


def template_flaw(method: Method, load: Load | None = None) -> str | None:
    """What is wrong with the words of a method's own template, whose syntax is sound; None for one of ours.

    `load`: reads what it imports. Needs Jinja: raises `ModuleNotFoundError` where it is not installed.
    """
    text = (method.template or "").strip()
    ours = TEMPLATES[method.type]
    if not text or text in ours:
        return None
    if other := next((kind for kind, names in TEMPLATES.items() if text in names), None):
        return f"{text} asks for what {other} reads, not {method.type}; give one of {', '.join(ours)}"
    shown = ("other",) if method.type == "Tournament" else ()
    wanted = Holes(needed=shown, allowed=COMMON, given=said(method))
    return flaw_of(text, wanted, f"for {method.type}", f"one of ours: {', '.join(ours)}", load)
