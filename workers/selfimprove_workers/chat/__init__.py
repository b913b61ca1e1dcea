"""Conversations as token ids: rendering them, going on with them, and refusing templates that would spoil a run."""

from selfimprove_workers.chat.following import encoded_after, following
from selfimprove_workers.chat.linting import lint, lint_verifier
from selfimprove_workers.chat.rendering import end_of_turn, render, render_continuation, render_text

__all__ = [
    "encoded_after",
    "end_of_turn",
    "following",
    "lint",
    "lint_verifier",
    "render",
    "render_continuation",
    "render_text",
]
