"""Rules about guided re-sampling: each strategy needs what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from selfimprove.api.hinting import STUDENT, TEACHER, Hint, asks_a_teacher, flaw_for, readers_of
from selfimprove.api.problem import Problem
from selfimprove.api.rules.acceptance import has_answers
from selfimprove.api.rules.base import Rule, rule
from selfimprove.api.rules.data import endpoint_problems, source_problems
from selfimprove.api.rules.texts import template_problems
from selfimprove.api.selecting import StrategyName
from selfimprove.api.source import Source
from selfimprove.api.spec import Spec
from selfimprove.api.uris import MODEL_SCHEMES

_SHOWS_RATIONALE: tuple[StrategyName, ...] = ("RationaleDriven", "StateReset")
_SHOWS_ANSWER: tuple[StrategyName, ...] = ("AnswerDriven", "StateReset", "Interactive")
_TAUGHT: tuple[StrategyName, ...] = ("Interactive", "Adaptive")


@rule("resampling", "dataset")
def rationale(spec: Spec) -> Iterator[Problem]:
    """A reference solution can only be shown where there is one."""
    if spec.resampling.strategy in _SHOWS_RATIONALE and spec.dataset.fields.rationale is None:
        yield Problem(
            "resampling.strategy",
            f"{spec.resampling.strategy} shows parts of a reference solution; give dataset.fields.rationale",
        )


@rule("resampling", "dataset")
def answer(spec: Spec) -> Iterator[Problem]:
    """A gold answer can only be used where there is one."""
    if spec.resampling.strategy in _SHOWS_ANSWER and not has_answers(spec):
        yield Problem(
            "resampling.strategy", f"{spec.resampling.strategy} needs the gold answer; give dataset.fields.answer"
        )


@rule("resampling")
def teacher(spec: Spec) -> Iterator[Problem]:
    """A teacher is for strategies that ask one; where none is named, the run's own model teaches."""
    strategy, who = spec.resampling.strategy, spec.resampling.teacher
    if strategy not in _TAUGHT and who is not None:
        yield Problem("resampling.teacher", f"strategy {strategy} asks no teacher; remove it")


@rule("resampling")
def teacher_is_one_thing(spec: Spec) -> Iterator[Problem]:
    """A teacher is a model we load or a server that has one."""
    who, field = spec.resampling.teacher, "resampling.teacher"
    if who is None:
        return
    if (who.uri is None) == (who.api_url is None):
        neither = "neither uri nor apiURL; give one, or remove it: the run's own model teaches"
        has = neither if who.uri is None else "both uri and apiURL; keep one"
        yield Problem(field, f"has {has}")
    yield from endpoint_problems(f"{field}.apiURL", who.api_url)
    if who.uri is not None:
        yield from source_problems(field, Source(uri=who.uri), MODEL_SCHEMES)
    if who.api_url is not None and who.model is None:
        yield Problem(f"{field}.model", f"missing; {who.api_url} has to be told which model to ask")
    if who.api_url is None:
        for name, value in (("model", who.model), ("credentialsSecretName", who.credentials_secret_name)):
            if value is not None:
                yield Problem(f"{field}.{name}", f"{value} belongs to an apiURL, which is not set; remove it")


@rule("resampling")
def schedule(spec: Spec) -> Iterator[Problem]:
    """Only StateReset gives growing prefixes."""
    if spec.resampling.schedule is not None and spec.resampling.strategy not in ("StateReset", "Adaptive"):
        yield Problem(
            "resampling.schedule",
            f"{spec.resampling.schedule} is read by StateReset only, not by {spec.resampling.strategy}; remove it",
        )


@rule("resampling")
def template(spec: Spec) -> Iterator[Problem]:
    """What the student is shown has what its strategy is about, or one of those that Adaptive chooses from."""
    hints, text = readers_of(spec.resampling), spec.resampling.template
    whose = f"by {', '.join(STUDENT)} and Adaptive"
    yield from _template_problems("resampling.template", hints, text, whose, spec)


@rule("resampling")
def critique_template(spec: Spec) -> Iterator[Problem]:
    """What a teacher is asked has the question and the attempt."""
    hints: dict[StrategyName, Hint] = {"Interactive": TEACHER} if asks_a_teacher(spec.resampling) else {}
    whose, text = "by Interactive, and by Adaptive with a teacher", spec.resampling.critique_template
    yield from _template_problems("resampling.critiqueTemplate", hints, text, whose, spec)


RULES: tuple[Rule, ...] = (
    rationale,
    answer,
    teacher,
    teacher_is_one_thing,
    schedule,
    template,
    critique_template,
)


def _template_problems(
    field: str, hints: Mapping[StrategyName, Hint], text: str | None, readers: str, spec: Spec
) -> Iterator[Problem]:
    """`hints`: of the strategies that may read it; empty where the spec's reads no such template."""
    if text is None:
        return
    if not hints:
        yield Problem(field, f"a template is read {readers}, not by {spec.resampling.strategy}; remove it")
        return
    flaws = list(template_problems(field, text))
    yield from flaws or _flaws(field, hints, text)


def _flaws(field: str, hints: Mapping[StrategyName, Hint], text: str) -> Iterator[Problem]:
    """What a template of sound syntax leaves out; nothing where Jinja is not installed (a worker looks again)."""
    try:
        flaw = flaw_for(hints, text)
    except ModuleNotFoundError:
        return
    if flaw:
        yield Problem(field, flaw)
