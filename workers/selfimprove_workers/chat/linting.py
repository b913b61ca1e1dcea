"""What is wrong with a template or a prompt, found before a single token is sampled.

Each of these has cost others a run: a doubled BOS moves a benchmark by points, a turn without an end token trains a
model that never stops, a template that rewrites what was said makes training and verification see other tokens than
were sampled, and an over-long prompt fails after the model has been loaded.

White space around a message is another matter. Many templates trim it (Llama, Gemma); around an answer that changes
nothing here, since a conversation goes on from the sampled tokens (`rendering.render_continuation`), and around what
was asked nothing either, as long as it is trimmed before the model answers too. Only a template that trims what was
asked when the conversation goes on, and not before, rewrites it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove_workers.chat import rendering

if TYPE_CHECKING:
    from selfimprove_workers.prompts import PromptRow

_log = logging.getLogger(__name__)

_FIELD = "spec.model.chatTemplate"
_SAID, _ASKED, _THOUGHT = "\u2063said\n\n  twice\u2063", "\u2063asked\u2063", "\u2063thought\u2063"
_SAID_IN_SPACE = f" \n{_SAID} \n"

Messages = Sequence[Mapping[str, str]]


def lint(tokenizer: Any, prompts: Sequence[PromptRow], spec: Spec, max_len: int | None) -> None:
    """Refuse a template or prompts that would spoil the run. `max_len`: the model's length in tokens, where known.

    Raises `UserError` with one line that names the field, what is wrong and the remedy.
    """
    if not prompts:
        return
    kwargs = spec.generation.chat_template_kwargs
    messages = prompts[0].messages
    if tokenizer.chat_template:
        for probe in _probes(prompts):
            _check_template(tokenizer, probe, kwargs)
    else:
        _check_plain(tokenizer, spec)
    _check_bos(tokenizer, messages, kwargs)
    if max_len is not None:
        _check_lengths(tokenizer, prompts, spec, max_len)


def _check_plain(tokenizer: Any, spec: Spec) -> None:
    if spec.dataset.template is None:
        raise UserError(
            f"{_FIELD}: the model is a base model without a chat template; "
            "set spec.dataset.template to the text it should continue, or spec.model.chatTemplate"
        )
    if tokenizer.eos_token_id is None:
        raise UserError(
            "spec.model.uri: the model's tokenizer has no end token, so no sample could ever stop; "
            "add eos_token to its tokenizer_config.json"
        )


def _probes(prompts: Sequence[PromptRow]) -> Iterator[Messages]:
    """The first prompt, and the first with white space around a message, which a template may treat in its own way."""
    yield prompts[0].messages
    edged = next((prompt.messages for prompt in prompts if any(map(_has_edges, prompt.messages))), None)
    if edged is not None and edged is not prompts[0].messages:
        yield edged


def _has_edges(message: Mapping[str, str]) -> bool:
    return message["content"] != message["content"].strip()


def _check_template(tokenizer: Any, messages: Messages, kwargs: Mapping[str, Any]) -> None:
    try:
        begun = rendering.render_text(tokenizer, messages, kwargs, generation_prompt=False)
        opened = rendering.render_text(tokenizer, messages, kwargs)
        longer = rendering.render_text(tokenizer, [*messages, *_exchange(_SAID_IN_SPACE)], kwargs)
        thinking = rendering.render_text(tokenizer, [*messages, *_exchange(_thinking())], kwargs)
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise UserError(
            f"{_FIELD}: the chat template refuses the prompts' messages ({first}); "
            "change spec.dataset.system or give another chatTemplate"
        ) from error
    if rendering.end_of_turn(tokenizer) is None:
        raise UserError(
            f"{_FIELD}: no end token follows an assistant's message, so the model would never learn to stop; "
            "write the end token after each assistant message"
        )
    _check_history(begun, opened, longer, thinking)


def _check_history(begun: str, opened: str, longer: str, thinking: str) -> None:
    """`longer` and `thinking`: the same conversation two turns on, the answer plain and after thoughts."""
    if not longer.startswith(begun) or not _in_order(longer, _SAID, _ASKED):
        raise UserError(
            f"{_FIELD}: the chat template rewrites earlier messages when the conversation goes on; "
            "give one that keeps every message as it was"
        )
    thoughts_are_off = opened.rstrip().endswith("</think>")
    if not thoughts_are_off and _THOUGHT not in thinking:
        raise UserError(
            f"{_FIELD}: the chat template drops <think> blocks from earlier turns, so history would be rewritten; "
            "set spec.generation.chatTemplateKwargs: {enable_thinking: false} or give a template that keeps them"
        )
    if _SAID_IN_SPACE not in longer:
        _log.info(
            "%s: trims answers when a conversation goes on; here it goes on from the sampled tokens, as they are",
            _FIELD,
        )


def _check_bos(tokenizer: Any, messages: Messages, kwargs: Mapping[str, Any]) -> None:
    bos = tokenizer.bos_token_id
    ids = rendering.render(tokenizer, messages, kwargs)
    if bos is not None and ids[:2] == [bos, bos]:
        raise UserError(f"{_FIELD}: prompts begin with BOS ({tokenizer.bos_token}) twice; remove one from the template")
    if not ids:
        raise UserError("spec.dataset.fields.prompt: the first prompt is empty; give it some text")


def _check_lengths(tokenizer: Any, prompts: Sequence[PromptRow], spec: Spec, max_len: int) -> None:
    wanted = max(spec.generation.max_tokens, spec.evaluation.max_tokens or 0)
    room = max_len - wanted
    if room < 1:
        raise UserError(
            f"spec.generation.maxTokens: {wanted} leaves no room for a prompt in a model of {max_len} tokens; lower it"
        )
    for prompt in prompts:
        text = rendering.render_text(tokenizer, prompt.messages, spec.generation.chat_template_kwargs)
        if len(text.encode()) < room:  # no token is shorter than a byte
            continue
        length = len(rendering.render(tokenizer, prompt.messages, spec.generation.chat_template_kwargs))
        if length > room:
            raise UserError(
                f"spec.generation.maxTokens: prompt {prompt.id} has {length} tokens, and {wanted} more do not fit into "
                f"the model's {max_len}; lower maxTokens or leave the prompt out"
            )


def _exchange(answer: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": answer}, {"role": "user", "content": _ASKED}]


def _thinking() -> str:
    return f"<think>\n{_THOUGHT}\n</think>\n\n{_SAID}"


def _in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)
