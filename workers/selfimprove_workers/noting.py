"""What `select` and `measure` both note of the samples that they gathered, beside their measures."""

from __future__ import annotations

from selfimprove.details import Diversity
from selfimprove.gathering import Gathered
from selfimprove.measures import answer_diversity
from selfimprove_workers.context import StepContext


def diversity_of(context: StepContext, found: Gathered) -> Diversity | None:
    """How different the answers to a prompt are; None where no gold answer asked for a check, or none was found."""
    seed = context.bootstrap_seed
    return answer_diversity(found.answer, found.prompt, len(found.ids), seed=seed)
