"""What is said to a model, kept as data: a changed word is a changed experiment, so each text has a name and a digest.

Shipped templates are `NAME-VERSION.jinja` beside this file; an edit that changes what a model reads gets a new version.
Users bring their own text in the spec. Rendering is sandboxed: a spec's template can't reach into the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files

from jinja2 import StrictUndefined, TemplateError
from jinja2 import Template as Compiled
from jinja2.sandbox import ImmutableSandboxedEnvironment

from selfimprove.errors import UserError

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)


@dataclass(frozen=True)
class Template:
    """One text with holes. `field` is where a user would mend it, for messages."""

    name: str
    source: str
    field: str

    @property
    def version(self) -> str:
        """Name and digest, as manifests record it: `multiple-choice-1@3f2a...`."""
        return f"{self.name}@{sha256(self.source.encode()).hexdigest()[:16]}"

    @cached_property
    def _compiled(self) -> Compiled:
        try:
            return _ENVIRONMENT.from_string(self.source)
        except TemplateError as error:
            raise UserError(f"{self.field}: not a valid Jinja template: {error}; mend it") from error

    def render(self, **values: object) -> str:
        """The text with its holes filled. Raises `UserError` naming the field when a hole has no value."""
        try:
            return self._compiled.render(**values)
        except TemplateError as error:
            known = ", ".join(sorted(values))
            raise UserError(f"{self.field}: can't be rendered: {error}; it may use {known}") from error


def shipped(name: str) -> Template:
    """A template of ours by name and version, as `multiple-choice-1`."""
    source = files(__package__).joinpath(f"{name}.jinja").read_text(encoding="utf-8")
    return Template(name, source, f"template {name}")


def choose(own: str | None, default: str, field: str) -> Template:
    """The user's own text where there is one (named by the field it stands in), else the shipped template."""
    return shipped(default) if own is None else Template("own", own, field)
