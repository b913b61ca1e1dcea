"""From messages to token ids: a model's own chat template, or plain text for a base model.

Token ids are what travels. A conversation that goes on after a sample is never rendered again from text: the next turn
is appended to the very tokens that were sampled, so that an engine finds all of them in its prefix cache and no
template can change what the model said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from selfimprove_workers.chat.following import encoded_after

Messages = Sequence[Mapping[str, str]]
_MARK = "\u2063answer\u2063"
"""Stands for an assistant's words while a template is taken apart; no template or prompt has it."""
_WORD = "a"
"""The end of what an assistant said, whatever that was."""


def render(tokenizer: Any, messages: Messages, template_kwargs: Mapping[str, Any]) -> list[int]:
    """Token ids of a conversation up to where the assistant begins to speak, with the BOS that the model wants.

    Without a chat template the contents are joined as plain text, an empty line between them.
    """
    text = render_text(tokenizer, messages, template_kwargs)
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids if tokenizer.chat_template else [*_own_bos(tokenizer), *ids]


def render_text(
    tokenizer: Any, messages: Messages, template_kwargs: Mapping[str, Any], generation_prompt: bool = True
) -> str:
    """The text that `render` encodes. Raises what the template raises (`jinja2.TemplateError`)."""
    if not tokenizer.chat_template:
        return "\n\n".join(message["content"] for message in messages)
    conversation = [dict(message) for message in messages]
    text: str = tokenizer.apply_chat_template(
        conversation, tokenize=False, add_generation_prompt=generation_prompt, **template_kwargs
    )
    return text


def render_continuation(
    tokenizer: Any,
    prompt_tokens: Sequence[int],
    completion_tokens: Sequence[int],
    followup_text: str,
    template_kwargs: Mapping[str, Any],
) -> list[int]:
    """The conversation after a sample: its tokens, the end of its turn, a user's turn, the assistant's beginning.

    Without a chat template the model goes on where the user's text ends, as it does after a prompt.

    The sample's tokens stay as they were drawn; only an end token that is not the template's own end of turn is
    dropped, since a model never saw text go on after one.
    """
    turn = _turn_tokens(tokenizer, tokenizer.chat_template, followup_text, tuple(sorted(template_kwargs.items())))
    said = list(completion_tokens)
    if said and turn and said[-1] == turn[0]:
        return [*prompt_tokens, *said, *turn[1:]]
    if said and said[-1] in (tokenizer.eos_token_id, end_of_turn(tokenizer)):
        said.pop()
    return [*prompt_tokens, *said, *turn]


def end_of_turn(tokenizer: Any) -> int | None:
    """The token that the template writes after an assistant's words, else the tokenizer's end token.

    None when what follows is ordinary text: such a model could never be told from one that goes on.
    """
    if not tokenizer.chat_template:
        eos: int | None = tokenizer.eos_token_id
        return eos
    turn = _turn_tokens(tokenizer, tokenizer.chat_template, None, ())
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    return turn[0] if turn and turn[0] in special else None


def adds_bos(tokenizer: Any) -> bool:
    """Whether the tokenizer itself puts BOS before a text."""
    bos = tokenizer.bos_token_id
    return bos is not None and bool(tokenizer.encode("a")[:1] == [bos])


@lru_cache(maxsize=256)
def _turn_tokens(
    tokenizer: Any, template: str | None, followup: str | None, template_kwargs: tuple[tuple[str, Any], ...]
) -> tuple[int, ...]:
    """What comes after an assistant's words: the end of the turn and, with a `followup`, the next user's turn.

    White space that a template sets between the words and the end of the turn (Llama 2) is left out: a model that
    ended its turn did so without.
    """
    if not template:
        return tuple(encoded_after(tokenizer, _WORD, f"\n\n{followup or ''}"))
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
    if followup is not None:
        messages.append({"role": "user", "content": followup})
    text = render_text(tokenizer, messages, dict(template_kwargs), generation_prompt=followup is not None)
    return tuple(encoded_after(tokenizer, _WORD, text.partition(_MARK)[2].lstrip()))


def _own_bos(tokenizer: Any) -> list[int]:
    return [tokenizer.bos_token_id] if adds_bos(tokenizer) else []
