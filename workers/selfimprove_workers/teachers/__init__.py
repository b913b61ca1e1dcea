"""Teachers, one kind a file: the run's own model, another one, or a server that has one."""

from __future__ import annotations

from functools import partial

from selfimprove.api.source import ModelSource
from selfimprove_workers.context import StepContext
from selfimprove_workers.teachers.base import Teacher
from selfimprove_workers.teachers.endpoint import FIELD, EndpointTeacher, key_of
from selfimprove_workers.teachers.model import ModelTeacher

__all__ = ["Teacher", "check_teacher", "teacher_for"]


def teacher_for(context: StepContext) -> Teacher:
    """The teacher that `resampling.teacher` names; the run's own model, as it samples now, where it names none."""
    settings, generation = context.spec.resampling.teacher, context.spec.generation
    if settings is None:
        return ModelTeacher(context.engine, generation.max_tokens, generation.chat_template_kwargs, context.stopping)
    if settings.uri is None:
        tokenizer = context.models.tokenizer(context.model_folder(context.sampling_iteration))
        return EndpointTeacher(
            settings,
            key_of(settings),
            generation.max_tokens,
            context.stopping,
            lambda text: len(tokenizer.encode(text, add_special_tokens=False)),
        )
    source = ModelSource(uri=settings.uri, token_secret_name=context.spec.model.token_secret_name)
    return ModelTeacher(
        partial(context.models.verifier_engine, source, FIELD),
        generation.max_tokens,
        {},
        context.stopping,
        check=partial(context.models.verifier_identity, source, FIELD),
    )


def check_teacher(context: StepContext) -> None:
    """At a run's first step, and again before the teacher is asked: what can be known of it before any GPU time.

    Raises `UserError` or `SurroundingsError` in one line.
    """
    resampling = context.spec.resampling
    if resampling.strategy == "Interactive" or resampling.teacher is not None:
        teacher_for(context).check()
