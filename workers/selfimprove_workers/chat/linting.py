"""What is wrong with a template or a prompt, found before a single token is sampled.

Each of these has cost others a run: a doubled BOS moves a benchmark by points, a turn without an end token trains a
model that never stops, a template that rewrites what was said makes training and verification see other tokens than
were sampled, and an over-long prompt fails after the model has been loaded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove_workers.chat import rendering
from selfimprove_workers.chat.probing import FIELD, probe, probe_verifier, refusals_explained

if TYPE_CHECKING:
    from selfimprove_workers.prompts import PromptRow


def lint(tokenizer: Any, prompts: Sequence[PromptRow], spec: Spec, max_len: int | None) -> None:
    """Refuse a template or prompts that would spoil the run. `max_len`: the model's length in tokens, where known.

    Every prompt is rendered; one of each shape is looked at closely. Raises `UserError` with one line that names the
    field, what is wrong and the remedy.
    """
    if not prompts:
        return
    if not tokenizer.chat_template:
        _check_plain(tokenizer, spec)
    else:
        for prompt in _of_each_shape(prompts):
            probe(tokenizer, prompt, spec.generation.chat_template_kwargs)
    room = _room(spec, max_len)
    for prompt in prompts:
        with refusals_explained(f"prompt {prompt.id}"):
            text = rendering.render_text(tokenizer, prompt.messages, spec.generation.chat_template_kwargs)
        _check_beginning(tokenizer, prompt, text)
        if len(text.encode()) >= room:  # no token is shorter than a byte: most prompts need not be encoded
            _check_length(tokenizer, prompt, spec, room)


def lint_verifier(tokenizer: Any, prompts: Iterable[PromptRow], kwargs: Mapping[str, Any], field: str) -> None:
    """Refuse a template in which another model can't be asked about answers; `field` is how messages call it.

    What a verifier reads is rendered whole and never trained on, so of `lint`'s demands these are left: the messages
    are taken, all that was said is in them, and BOS comes once.
    """
    if tokenizer.chat_template:
        for prompt in _of_each_shape(prompts):
            _check_beginning(tokenizer, prompt, probe_verifier(tokenizer, prompt, kwargs, field), field)


def _check_plain(tokenizer: Any, spec: Spec) -> None:
    if spec.dataset.template is None:
        raise UserError(
            f"{FIELD}: the model is a base model without a chat template; "
            "set spec.dataset.template to the text it should continue, or spec.model.chatTemplate"
        )
    if tokenizer.eos_token_id is None:
        raise UserError(
            "spec.model.uri: the model's tokenizer has no end token, so no sample could ever stop; "
            "add eos_token to its tokenizer_config.json"
        )


def _of_each_shape(prompts: Iterable[PromptRow]) -> Iterable[PromptRow]:
    """The first prompt of every sequence of roles, with white space around a message and without.

    Those are what templates treat in ways of their own.
    """
    shapes: dict[tuple[object, ...], PromptRow] = {}
    for prompt in prompts:
        edged = any(message["content"] != message["content"].strip() for message in prompt.messages)
        shapes.setdefault((edged, *(message["role"] for message in prompt.messages)), prompt)
    return shapes.values()


def _check_beginning(tokenizer: Any, prompt: PromptRow, text: str, chat_field: str = FIELD) -> None:
    """BOS once, whatever white space there is between two of them."""
    if not text:
        raise UserError(f"spec.dataset.fields.prompt: prompt {prompt.id} is empty; give it some text")
    bos = tokenizer.bos_token
    if not bos:
        return
    plain = not tokenizer.chat_template
    begun = (bos if plain and rendering.adds_bos(tokenizer) else "") + text.lstrip()
    if begun.startswith(bos) and begun.removeprefix(bos).lstrip().startswith(bos):
        field, where = ("spec.dataset.template", "text") if plain else (chat_field, "template")
        raise UserError(
            f"{field}: prompt {prompt.id} begins with BOS ({bos}) twice; remove one from the {where} or the prompt"
        )


def _room(spec: Spec, max_len: int | None) -> float:
    """The most tokens that a prompt may have."""
    wanted = _wanted(spec)
    room = math.inf if max_len is None else max_len - wanted
    if room < 1:
        raise UserError(
            f"spec.generation.maxTokens: {wanted} leaves no room for a prompt in a model of {max_len} tokens; lower it"
        )
    return room


def _check_length(tokenizer: Any, prompt: PromptRow, spec: Spec, room: float) -> None:
    length, wanted = (
        len(rendering.render(tokenizer, prompt.messages, spec.generation.chat_template_kwargs)),
        _wanted(spec),
    )
    if length > room:
        raise UserError(
            f"spec.generation.maxTokens: prompt {prompt.id} has {length} tokens, and {wanted} more do not fit into "
            f"the model's {room + wanted}; lower maxTokens or leave the prompt out"
        )


def _wanted(spec: Spec) -> int:
    return max(spec.generation.max_tokens, spec.evaluation.max_tokens or 0)
