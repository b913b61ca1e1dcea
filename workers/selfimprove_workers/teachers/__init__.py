"""Teachers, one kind a file: the run's own model, another one, or a server that has one."""

from __future__ import annotations

from functools import partial

from selfimprove.api.selecting import OtherModel
from selfimprove.api.selecting import Teacher as TeacherSettings
from selfimprove_workers.aside import Aside
from selfimprove_workers.context import StepContext
from selfimprove_workers.teachers.base import Teacher
from selfimprove_workers.teachers.endpoint import EndpointTeacher, key_of
from selfimprove_workers.teachers.endpoint_check import FIELD
from selfimprove_workers.teachers.model import ModelTeacher

__all__ = ["Teacher", "check_teacher", "teacher_for"]


def teacher_for(context: StepContext, aside: Aside) -> Teacher:
    """The teacher that `resampling.teacher` names; the run's own model, as it samples now, where it names none.

    `aside`: where what a model says is put until it is kept.
    """
    settings, generation = context.spec.resampling.teacher, context.spec.generation
    if settings is None:
        return ModelTeacher(context.engine, generation.max_tokens, generation.chat_template_kwargs, aside)
    if settings.uri is None:
        return _endpoint(context, settings)
    engine = partial(context.models.verifier_engine, _source(context, settings.uri), FIELD)
    return ModelTeacher(engine, generation.max_tokens, {}, aside)


def check_teacher(context: StepContext, is_first: bool = False) -> None:
    """At a run's first step, and again before the teacher is asked: what can be known of it before any GPU time.

    A server may be tried out at the first step only: who has taught once has the right address.
    Raises `UserError` or `SurroundingsError` in one line.
    """
    settings = context.spec.resampling.teacher
    if settings is None:
        return
    if settings.uri is None:
        _endpoint(context, settings).check(tries=is_first)
    else:
        context.models.verifier_identity(_source(context, settings.uri), FIELD)


def _endpoint(context: StepContext, settings: TeacherSettings) -> EndpointTeacher:
    tokenizer = context.models.tokenizer(context.model_folder(context.sampling_iteration))
    return EndpointTeacher(
        settings,
        key_of(settings),
        context.spec.generation.max_tokens,
        context.stopping,
        lambda text: len(tokenizer.encode(text, add_special_tokens=False)),
    )


def _source(context: StepContext, uri: str) -> OtherModel:
    return OtherModel(uri=uri, token_secret_name=context.spec.model.token_secret_name)
