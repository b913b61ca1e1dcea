"""From a row's prompt to the chat that asks it: system, few-shot turns, template."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from selfimprove.api.source import Dataset
from selfimprove.errors import UserError
from selfimprove_workers.datasets.files import Row
from selfimprove_workers.datasets.rows import Message

ROLES = ("system", "user", "assistant", "tool")
ENVIRONMENT = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)


class Prompter:
    """Makes the messages of prompts as one dataset's settings say."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def chat(self, row: Row, prompt: Any, choices: list[dict[str, str]] | None) -> tuple[list[Message], str]:
        """The messages of one prompt, and what they ask beyond what all prompts share. Raises `UserError`."""
        if self._dataset.template is not None:
            own = [{"role": "user", "content": self._rendered(row, prompt, choices)}]
        elif isinstance(prompt, list):
            own = _checked(prompt, row)
        else:
            own = [{"role": "user", "content": _with_choices(_text(prompt, row), choices)}]
        question = "\n\n".join(message["content"] for message in own if message["role"] != "system")
        return self._opening(own) + own, question

    def _opening(self, own: list[Message]) -> list[Message]:
        """What stands before the prompt's own messages; a system message of its own stays the only one, in front."""
        system = [own.pop(0)] if own[0]["role"] == "system" else []
        if not system and self._dataset.system is not None:
            system = [{"role": "system", "content": self._dataset.system}]
        for shot in self._dataset.few_shot:
            system.append({"role": "user", "content": shot.prompt})
            system.append({"role": "assistant", "content": shot.completion})
        return system

    @cached_property
    def _template(self) -> Template:
        try:
            return ENVIRONMENT.from_string(self._dataset.template or "")
        except TemplateError as error:
            raise UserError(f"spec.dataset.template: is no Jinja template ({error}); mend it") from error

    def _rendered(self, row: Row, prompt: Any, choices: list[dict[str, str]] | None) -> str:
        variables: Mapping[str, Any] = {**row.values, "prompt": prompt, "choices": choices or row.values.get("choices")}
        try:
            text = self._template.render(variables)
        except UndefinedError as error:
            made = [name for name in ("prompt", "choices") if variables[name] is not None]
            names = ", ".join(sorted({*row.values, *made})[:20])
            raise UserError(f"spec.dataset.template: {error} in {row.where}; there is {names}") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise UserError(f"spec.dataset.template: fails on {row.where} ({error}); mend it") from error
        if not text.strip():
            raise UserError(f"spec.dataset.template: gives an empty prompt for {row.where}; mend it")
        return text


def _text(prompt: Any, row: Row) -> str:
    if not isinstance(prompt, str):
        kind = "empty" if prompt is None else f"a {type(prompt).__name__}"
        raise UserError(f"spec.dataset.fields.prompt: {row.where} is {kind}; give text or a list of messages")
    if not prompt.strip():
        raise UserError(f"spec.dataset.fields.prompt: {row.where} is empty; remove it")
    return prompt


def _with_choices(prompt: str, choices: list[dict[str, str]] | None) -> str:
    """The question with its choices below it, one a line; with a template the template shows them."""
    return "\n".join([prompt, *(f"{choice['label']}) {choice['text']}" for choice in choices or [])])


def _checked(prompt: list[Any], row: Row) -> list[Message]:
    field = "spec.dataset.fields.prompt"
    for message in prompt:
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise UserError(f"{field}: {row.where} has a message without a text `content`; give role and content")
        if message.get("role") not in ROLES:
            raise UserError(f"{field}: {row.where} has a role {message.get('role')!r}; give one of {', '.join(ROLES)}")
    if not prompt or prompt[-1]["role"] != "user":
        last = prompt[-1]["role"] if prompt else "nothing"
        raise UserError(f"{field}: {row.where} ends with {last}; the last message must be the user's")
    return [{"role": message["role"], "content": message["content"]} for message in prompt]
