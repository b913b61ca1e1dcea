"""From `spec.dataset` to checked sets of prompts: train, heldOut and test.

A dataset that is wrong must cost seconds, not GPU hours: every column, answer and id is looked at before any sampling.
"""

from __future__ import annotations

from selfimprove_workers.datasets.rows import Draft, PromptRow
from selfimprove_workers.datasets.sets import PromptSets, load_sets

__all__ = ["Draft", "PromptRow", "PromptSets", "load_sets"]
