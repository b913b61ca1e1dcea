"""What guidance shows: the templates that are ours, by name, and what a template of a user's own must say.

`resampling.template` is what the student reads, `resampling.critiqueTemplate` what the teacher is asked: the name of
one of ours or a text with holes. A text that leaves out what its strategy is about would sample plainly under its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from selfimprove.api.selecting import Resampling, StrategyName
from selfimprove.api.trying import Holes, Load, flaw_of


@dataclass(frozen=True)
class Hint:
    """One text with holes: ours by name, and what a user's own must say, and may."""

    ours: str
    holes: Holes


STUDENT: Mapping[StrategyName, Hint] = {
    "AnswerDriven": Hint("answer-driven-1", Holes(("question", "answer"))),
    "RationaleDriven": Hint("rationale-driven-1", Holes(("question", "rationale"))),
    "Interactive": Hint("interactive-revise-1", Holes(("critique",))),
}
"""What each strategy shows in the question's place; Interactive in a turn after the question and the wrong attempt."""
TEACHER = Hint("interactive-critique-1", Holes(("question", "attempt"), ("answer",)))
"""What a teacher is asked."""


def asks_a_teacher(resampling: Resampling) -> bool:
    """Whether critiques are asked for: by Interactive, and by Adaptive where a teacher is named."""
    return resampling.strategy == "Interactive" or (
        resampling.strategy == "Adaptive" and resampling.teacher is not None
    )


def readers_of(resampling: Resampling) -> dict[StrategyName, Hint]:
    """The strategies that `template` may be for: the one that is asked for, or those of Adaptive's that show one."""
    if resampling.strategy != "Adaptive":
        return {name: hint for name, hint in STUDENT.items() if name == resampling.strategy}
    return {name: hint for name, hint in STUDENT.items() if name != "Interactive" or asks_a_teacher(resampling)}


def suited(hints: Mapping[StrategyName, Hint], text: str, load: Load | None = None) -> StrategyName | None:
    """The strategy whose hint a template of sound syntax gives; None where it is nobody's. Needs Jinja."""
    return next((name for name, hint in hints.items() if hint_flaw(hint, text, load) is None), None)


def flaw_for(hints: Mapping[StrategyName, Hint], text: str, load: Load | None = None) -> str | None:
    """What is wrong with a template of sound syntax for each of these strategies; None where it suits one.

    Needs Jinja: raises `ModuleNotFoundError` where it is not installed.
    """
    flaws = {name: hint_flaw(hint, text, load) for name, hint in hints.items()}
    if None in flaws.values():
        return None
    if len(flaws) == 1:
        return next(iter(flaws.values()))
    return "suits no strategy that Adaptive chooses from: " + "; ".join(
        f"{name}: {flaw}" for name, flaw in flaws.items()
    )


def hint_flaw(hint: Hint, text: str, load: Load | None = None) -> str | None:
    """What is wrong with the words of a template whose syntax is sound; None for the one of ours.

    `load`: reads what it imports. Needs Jinja: raises `ModuleNotFoundError` where it is not installed.
    """
    if text.strip() == hint.ours:
        return None
    return flaw_of(text, hint.holes, "here", f"ours: {hint.ours}", load)
