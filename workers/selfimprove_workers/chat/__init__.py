"""Conversations as token ids: rendering them, going on with them, and refusing templates that would spoil a run."""

from selfimprove_workers.chat.linting import lint, lint_verifier
from selfimprove_workers.chat.rendering import end_of_turn, render, render_continuation, render_text

__all__ = ["end_of_turn", "lint", "lint_verifier", "render", "render_continuation", "render_text"]
