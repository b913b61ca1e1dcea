"""Rules about texts with a grammar of their own: regular expressions and templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from selfimprove.api.asking import TEMPLATES, template_flaw
from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Found, Rule, each
from selfimprove.api.rules.methods import methods_of
from selfimprove.api.selecting import Method, OtherModel
from selfimprove.api.sources import verifiers_of
from selfimprove.api.spec import Spec

_GENERATION_TAG = re.compile(r"\{%-?\s*(end)?generation\s*-?%\}")
"""transformers' own tag in chat templates, which plain Jinja does not know."""


def answer_pattern(spec: Spec) -> Found:
    """The answer pattern is a regular expression with one group at most, on an answer that is mapped."""
    pattern, field = spec.dataset.answer_pattern, "dataset.answerPattern"
    if pattern is None:
        return
    yield from _expression_problems(field, pattern)
    if spec.dataset.task == "Gym":
        yield Problem(field, f"{pattern}: gym:// entries have their own answer; remove it")
    elif spec.dataset.fields.answer is None:
        yield Problem(field, f"{pattern} reads the answer, which is not mapped; give dataset.fields.answer")


def dataset_template(spec: Spec) -> Found:
    """The prompt template is Jinja, and shows something of a row."""
    template, field = spec.dataset.template, "dataset.template"
    flaws = list(template_problems(field, template))
    yield from flaws
    if template and not flaws and "{{" not in template and "{%" not in template:
        yield Problem(field, "names no column, so that every prompt would be the same; write {{ prompt }} in it, say")


def chat_template(spec: Spec) -> Found:
    """The model's chat template is Jinja."""
    yield from chat_template_problems("model.chatTemplate", spec.model.chat_template)


@each(methods_of)
def method_templates(field: str, method: Method) -> Found:
    """Templates of verification methods are Jinja and say what must be said."""
    flaws = list(template_problems(f"{field}.template", method.template))
    yield from flaws or _asking_problems(f"{field}.template", method)


@each(verifiers_of)
def verifier_templates(field: str, verifier: OtherModel) -> Found:
    """The chat template of a verifier is Jinja."""
    yield from chat_template_problems(f"{field}.chatTemplate", verifier.chat_template)


RULES: tuple[Rule, ...] = (answer_pattern, dataset_template, chat_template, method_templates, verifier_templates)


def chat_template_problems(field: str, template: str | None) -> Iterator[Problem]:
    """The same of a chat template, which transformers reads with more tags than Jinja has."""
    if template is not None:
        yield from template_problems(field, _GENERATION_TAG.sub("", template), ["jinja2.ext.loopcontrols"])


def template_problems(field: str, template: str | None, extensions: Sequence[str] = ()) -> Iterator[Problem]:
    """What is wrong with a template's syntax, filters and tests; nothing where Jinja is not installed (a worker looks
    again).
    """
    if template is None:
        return
    if not template.strip():
        yield Problem(field, "an empty template asks nothing; give one, or remove it")
        return
    try:
        from jinja2 import Environment, TemplateSyntaxError
    except ModuleNotFoundError:
        return
    try:
        Environment(extensions=extensions).compile(template, raw=True)  # parsing alone asks for no filter
    except TemplateSyntaxError as error:
        yield Problem(field, f"line {error.lineno} is no Jinja ({error.message}); mend it")


def _expression_problems(field: str, pattern: str) -> Iterator[Problem]:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        yield Problem(field, f"{pattern} is no regular expression ({error}); mend it")
        return
    if groups > 1:
        yield Problem(
            field,
            f"{pattern} has {groups} groups; keep the one that holds the answer, and write (?:...) for the others",
        )


def _asking_problems(field: str, method: Method) -> Iterator[Problem]:
    """What a template of sound syntax leaves out; nothing where Jinja is not installed (a worker looks again)."""
    if method.type not in TEMPLATES:
        return
    try:
        flaw = template_flaw(method)
    except ModuleNotFoundError:
        return
    if flaw:
        yield Problem(field, flaw)
