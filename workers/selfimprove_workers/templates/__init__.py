"""What is said to a model, kept as data: a changed word is a changed experiment, so each text has a name and a digest.

Shipped templates are `NAME-VERSION.jinja` beside this file; an edit that changes what a model reads gets a new version.
Worked examples are files of their own (`shots-*`), which several templates import, and so may a user's. Users name one
of ours in the spec, or bring their own text. Rendering is sandboxed: a spec's template can't reach into the process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files

from jinja2 import FunctionLoader, StrictUndefined, TemplateError, meta
from jinja2 import Template as Compiled
from jinja2.sandbox import ImmutableSandboxedEnvironment

from selfimprove.api.asking import TEMPLATES, template_flaw
from selfimprove.api.hinting import Hint, flaw_for, hint_flaw, suited
from selfimprove.api.selecting import Method, StrategyName
from selfimprove.api.trying import reason
from selfimprove.errors import UserError


def _source(name: str) -> str | None:
    """The text of a file beside this one, by its bare name: what a template may import."""
    known = {file.name: file for file in files(__package__).iterdir() if file.name.endswith(".jinja")}
    return known[name].read_text(encoding="utf-8") if name in known else None


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    keep_trailing_newline=False,
    loader=FunctionLoader(_source),
)


@dataclass(frozen=True)
class Template:
    """One text with holes. `field` is where a user would mend it, for messages."""

    name: str
    source: str
    field: str

    @property
    def version(self) -> str:
        """Name and digest, as manifests record it: `multiple-choice-1@3f2a...`. What it imports is part of it."""
        whole = "\x1f".join([self.source, *self._imported])
        return f"{self.name}@{sha256(whole.encode()).hexdigest()[:16]}"

    @cached_property
    def _imported(self) -> list[str]:
        try:
            names = meta.find_referenced_templates(_ENVIRONMENT.parse(self.source))
            return [_source(name) or "" for name in names if name]
        except TemplateError:
            return []  # told when it is rendered

    @cached_property
    def _compiled(self) -> Compiled:
        try:
            return _ENVIRONMENT.from_string(self.source)
        except TemplateError as error:
            raise UserError(f"{self.field}: not a valid Jinja template: {error}; mend it") from error

    def check(self) -> None:
        """Raises `UserError` when it is no Jinja."""
        _ = self._compiled

    def render(self, **values: object) -> str:
        """The text with its holes filled. Raises `UserError` naming the field for whatever goes wrong."""
        compiled = self._compiled
        try:
            return compiled.render(**values)
        except Exception as error:  # a template calls what it likes: 1/0 is no error of Jinja's
            known = ", ".join(sorted(values))
            raise UserError(f"{self.field}: can't be rendered: {reason(error)}; it may use {known}") from error


def shipped(name: str) -> Template:
    """A template of ours by name and version, as `multiple-choice-1`."""
    source = files(__package__).joinpath(f"{name}.jinja").read_text(encoding="utf-8")
    return Template(name, source, f"template {name}")


def template_of(method: Method, field: str) -> Template:
    """What a method asks by: the user's own text or the one of ours that is named (`field` says where), else the first.

    Raises `UserError` for a text that leaves out what the method needs.
    """
    ours, own = TEMPLATES[method.type], method.template
    if own is None or own.strip() in ours:
        return shipped(own.strip() if own else ours[0])
    return _own(own, field, lambda: template_flaw(method, _source))


def hint_of(hint: Hint, own: str | None, field: str) -> Template:
    """What guidance shows by: the user's own text, or ours. Raises `UserError` for a text that leaves out the hint."""
    if own is None or own.strip() == hint.ours:
        return shipped(hint.ours)
    return _own(own, field, lambda: hint_flaw(hint, own, _source))


def hint_among(hints: Mapping[StrategyName, Hint], own: str, field: str) -> tuple[StrategyName, Template]:
    """Whose hint a user's own text gives, and the text. Raises `UserError` for one that is nobody's."""
    Template("own", own, field).check()
    name = suited(hints, own, _source)
    if name is None:
        raise UserError(f"{field}: {flaw_for(hints, own, _source)}")
    return name, hint_of(hints[name], own, field)


def _own(text: str, field: str, flaw: Callable[[], str | None]) -> Template:
    template = Template("own", text, field)
    template.check()
    if found := flaw():
        raise UserError(f"{field}: {found}")
    return template
