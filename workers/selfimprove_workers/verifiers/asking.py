"""How a verifier puts its question: as the next turn of the conversation that ended with the sample.

The run's own model goes on from the very tokens it sampled, so that an engine with a prefix cache reads only the turn;
another model, to which those token ids mean nothing, reads the conversation as text.
"""

from __future__ import annotations

from selfimprove_workers import chat
from selfimprove_workers.engines.base import Engine
from selfimprove_workers.templates import Template
from selfimprove_workers.verifiers.base import Candidate, Tools


def asked(template: Template, tools: Tools, engine: Engine, candidate: Candidate, **values: object) -> list[int]:
    """Token ids of the conversation up to the verifier's reply. `values`: what the template may use beside the common.

    Raises `UserError` when the template can't be rendered.
    """
    question = candidate.messages[-1]["content"] if candidate.messages else ""
    turn = template.render(question=question, response=candidate.text, **values)
    if tools.own:
        return chat.render_continuation(
            engine.tokenizer, candidate.prompt_tokens, candidate.tokens, turn, tools.template_kwargs
        )
    dialogue = [*candidate.messages, _says("assistant", candidate.text), _says("user", turn)]
    return chat.render(engine.tokenizer, dialogue, tools.template_kwargs)


def field_of(name: str | None, type: str) -> str:
    """How messages call a method."""
    return f"spec.verification.methods[{name or type}]"


def _says(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
