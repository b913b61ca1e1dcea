"""What a template does with a conversation that goes on, found out by letting it render one.

White space around a message is a matter of its own. Many templates trim it (Llama, Gemma); around an answer that
changes nothing here, since a conversation goes on from the sampled tokens (`rendering.render_continuation`), and around
what was asked nothing either, as long as it is trimmed before the model answers too. Only a template that trims what
was asked when the conversation goes on, and not before, rewrites it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from selfimprove.errors import UserError
from selfimprove_workers.chat import rendering

if TYPE_CHECKING:
    from selfimprove_workers.prompts import PromptRow

_log = logging.getLogger(__name__)

FIELD = "spec.model.chatTemplate"
_SAID, _ASKED, _THOUGHT = "\u2063said\n\n  an answer\u2063", "\u2063asked\u2063", "\u2063thought\u2063"
_SAID_IN_SPACE = f" \n{_SAID} \n"
_THINKING = re.compile(r"[<\[][^<>\[\]\s]*think", re.IGNORECASE)
"""Where a tag about thoughts begins: `<think>`, `</think>`, `<seed:think>`, `[THINK]`."""


def probe(tokenizer: Any, prompt: PromptRow, kwargs: Mapping[str, Any]) -> None:
    """Refuse a chat template that spoils conversations which begin as this prompt does.

    Raises `UserError` with one line that names the field, what is wrong and the remedy.
    """
    with refusals_explained(f"prompt {prompt.id}"):
        begun = rendering.render_text(tokenizer, prompt.messages, kwargs, generation_prompt=False)
        opened = rendering.render_text(tokenizer, prompt.messages, kwargs)
    with refusals_explained(f"an answer and another question after prompt {prompt.id}"):
        longer = rendering.render_text(tokenizer, [*prompt.messages, *_exchange(_SAID_IN_SPACE)], kwargs)
        thinking = rendering.render_text(tokenizer, [*prompt.messages, *_exchange(_thinking())], kwargs)
    _check_history(begun, longer)
    _check_thoughts(opened, thinking)
    _check_generation_prompt(begun, opened, longer)
    _check_end(tokenizer)


def probe_verifier(tokenizer: Any, prompt: PromptRow, kwargs: Mapping[str, Any], field: str) -> str:
    """What another model would be shown of an answer to this prompt and a question about it; `field`: its template.

    Raises `UserError` where the template refuses it or leaves out what was said.
    """
    with refusals_explained(f"an answer and another question after prompt {prompt.id}", field):
        shown = rendering.render_text(tokenizer, [*prompt.messages, *_exchange(_SAID)], kwargs)
    if not _in_order(shown, _SAID, _ASKED):
        raise UserError(
            f"{field}: the verifier's chat template leaves out what was said before; give one that keeps all of it"
        )
    return shown


@contextmanager
def refusals_explained(what: str, field: str = FIELD) -> Iterator[None]:
    """Turn whatever a template raises within (its own refusals, or a mistake in it) into `UserError`."""
    try:
        yield
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise UserError(
            f"{field}: the chat template refuses {what} ({first}); "
            "leave the prompt out, change it or spec.dataset.system, or give another chatTemplate"
        ) from error


def _check_history(begun: str, longer: str) -> None:
    """`longer`: the conversation of `begun` two turns on."""
    if not longer.startswith(begun) or not _in_order(longer, _SAID, _ASKED):
        raise UserError(
            f"{FIELD}: the chat template rewrites earlier messages when the conversation goes on; "
            "give one that keeps every message as it was"
        )
    if _SAID_IN_SPACE not in longer:
        _log.info(
            "%s: trims answers when a conversation goes on; here it goes on from the sampled tokens, as they are",
            FIELD,
        )


def _check_thoughts(opened: str, thinking: str) -> None:
    """`thinking`: the conversation of `opened` two turns on, answered after thoughts."""
    thoughts_are_off = opened.rstrip().endswith("</think>")
    if not thoughts_are_off and _THOUGHT not in thinking:
        raise UserError(
            f"{FIELD}: the chat template drops <think> blocks from earlier turns, so history would be rewritten; "
            "set spec.generation.chatTemplateKwargs: {enable_thinking: false} or give a template that keeps them"
        )


def _check_generation_prompt(begun: str, opened: str, longer: str) -> None:
    """An assistant's turn begins as the prompt told it to, whatever either says about thoughts.

    The prompt may say less (gpt-oss names the channel later) or nothing where the turn has no header (Mistral).
    """
    header, told = (_before_thoughts(text) for text in (longer[len(begun) : longer.index(_SAID)], opened[len(begun) :]))
    if header and not (told and (header.startswith(told) or told.startswith(header))):
        raise UserError(
            f"{FIELD}: the chat template begins an assistant's turn with {header!r}, and with add_generation_prompt "
            f"ends a prompt with {told!r}, so the model would not know that it is to answer; let it write the first "
            "there too"
        )


def _check_end(tokenizer: Any) -> None:
    with refusals_explained("a user's message and an assistant's"):
        end = rendering.end_of_turn(tokenizer)
    if end is None:
        raise UserError(
            f"{FIELD}: no end token follows an assistant's message, so the model would never learn to stop; "
            "write the end token after each assistant message"
        )


def _before_thoughts(header: str) -> str:
    return _THINKING.split(header)[0].strip()


def _exchange(answer: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": answer}, {"role": "user", "content": _ASKED}]


def _thinking() -> str:
    return f"<think>\n{_THOUGHT}\n</think>\n\n{_SAID}"


def _in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)
