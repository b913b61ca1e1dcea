"""Rules about guided re-sampling: each strategy needs what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from selfimprove.api.hinting import STUDENT, TEACHER, Hint, asks_a_teacher, flaw_for, readers_of
from selfimprove.api.problem import Problem
from selfimprove.api.rules.acceptance import has_answers
from selfimprove.api.rules.base import Found, Rule, each
from selfimprove.api.rules.data import endpoint_problems, source_problems
from selfimprove.api.rules.texts import template_problems
from selfimprove.api.selecting import StrategyName, Teacher
from selfimprove.api.sound import known
from selfimprove.api.source import Source
from selfimprove.api.spec import Spec
from selfimprove.api.uris import MODEL_SCHEMES

_SHOWS_RATIONALE: tuple[StrategyName, ...] = ("RationaleDriven", "StateReset")
_SHOWS_ANSWER: tuple[StrategyName, ...] = ("AnswerDriven", "StateReset", "Interactive")
_TAUGHT: tuple[StrategyName, ...] = ("Interactive", "Adaptive")


def teacher_of(spec: Spec) -> Iterator[tuple[str, Teacher]]:
    """The teacher with its field, where one is named."""
    if spec.resampling.teacher is not None:
        yield "resampling.teacher", spec.resampling.teacher


def rationale(spec: Spec) -> Found:
    """A reference solution can only be shown where there is one."""
    if spec.resampling.strategy in _SHOWS_RATIONALE and spec.dataset.fields.rationale is None:
        yield Problem(
            "resampling.strategy",
            f"{spec.resampling.strategy} shows parts of a reference solution; give dataset.fields.rationale",
        )


def answer(spec: Spec) -> Found:
    """A gold answer can only be used where there is one."""
    if spec.resampling.strategy in _SHOWS_ANSWER and not has_answers(spec):
        yield Problem(
            "resampling.strategy", f"{spec.resampling.strategy} needs the gold answer; give dataset.fields.answer"
        )


def teacher(spec: Spec) -> Found:
    """A teacher is for strategies that ask one; where none is named, the run's own model teaches."""
    strategy, who = spec.resampling.strategy, spec.resampling.teacher
    if strategy not in _TAUGHT and who is not None:
        yield Problem("resampling.teacher", f"strategy {strategy} asks no teacher; remove it")


@each(teacher_of)
def teacher_is_one_thing(field: str, who: Teacher) -> Found:
    """A teacher is a model we load or a server that has one."""
    if (who.uri is None) == (who.api_url is None):
        neither = "neither uri nor apiURL; give one, or remove it: the run's own model teaches"
        has = neither if who.uri is None else "both uri and apiURL; keep one"
        yield Problem(field, f"has {has}")


@each(teacher_of)
def teacher_is_somewhere(field: str, who: Teacher) -> Found:
    """It is at an address of a server, or in a place that can hold a model."""
    address = known(who, "api_url")
    yield from list(endpoint_problems(f"{field}.apiURL", address)) or _path_problems(f"{field}.apiURL", address)
    if (uri := known(who, "uri")) is not None:
        yield from source_problems(field, Source(uri=uri), MODEL_SCHEMES)


@each(teacher_of)
def teacher_at_a_server(field: str, who: Teacher) -> Found:
    """A server is told which model to ask, and nobody else has a use for that."""
    if who.api_url is None:
        for attribute, name in (("model", "model"), ("credentials_secret_name", "credentialsSecretName")):
            if (value := known(who, attribute)) is not None:
                yield Problem(f"{field}.{name}", f"{value} belongs to an apiURL, which is not set; remove it")
    elif who.model is None:
        yield Problem(f"{field}.model", f"missing; {who.api_url} has to be told which model to ask")


def schedule(spec: Spec) -> Found:
    """Only StateReset gives growing prefixes."""
    if spec.resampling.schedule is not None and spec.resampling.strategy not in ("StateReset", "Adaptive"):
        yield Problem(
            "resampling.schedule",
            f"{spec.resampling.schedule} is read by StateReset only, not by {spec.resampling.strategy}; remove it",
        )


def template(spec: Spec) -> Found:
    """What the student is shown has what its strategy is about, or one of those that Adaptive chooses from."""
    hints, text = readers_of(spec.resampling), spec.resampling.template
    whose = f"by {', '.join(STUDENT)} and Adaptive"
    yield from _template_problems("resampling.template", hints, text, whose, spec)


def critique_template(spec: Spec) -> Found:
    """What a teacher is asked has the question and the attempt."""
    hints: dict[StrategyName, Hint] = {"Interactive": TEACHER} if asks_a_teacher(spec.resampling) else {}
    whose, text = "by Interactive, and by Adaptive with a teacher", spec.resampling.critique_template
    yield from _template_problems("resampling.critiqueTemplate", hints, text, whose, spec)


RULES: tuple[Rule, ...] = (
    rationale,
    answer,
    teacher,
    teacher_is_one_thing,
    teacher_is_somewhere,
    teacher_at_a_server,
    schedule,
    template,
    critique_template,
)


def _path_problems(field: str, address: str | None) -> Iterator[Problem]:
    """What is asked below an address is added to it."""
    path = (address or "").rstrip("/")
    before = path.removesuffix("/chat/completions").removesuffix("/completions")
    if before != path:
        yield Problem(field, f"{address} names what is asked there; give {before}, to which /chat/completions is added")


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
