"""Which samples a person asked for: a value of its own, since reading them needs pyarrow and asking must not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Filter:
    """The options of `selfimprove samples`."""

    iteration: int | None = None
    """None: the last iteration that has such samples."""
    step: str = "generate"
    """Whose samples; `verify`: those of `generate`, with the critiques that their scores came from."""
    prompt: str | None = None
    tail: bool = False
    limit: int = 20

    @property
    def drawn_by(self) -> str:
        """The step that drew the samples."""
        return "generate" if self.step == "verify" else self.step
