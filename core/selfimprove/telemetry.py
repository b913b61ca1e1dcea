"""The figures that show whether the tail is lost: what an iteration notes in its manifests beside its measures.

After "Mitigating Tail Narrowing" (arXiv 2411.00750, section 2): difficulty, length and perplexity of what was kept, how
unequally prompts are served, and what guidance won at what cost. A figure is of plain samples or of guided ones, never
of both: what guidance adds must not hide what the model lost.
"""

from __future__ import annotations

from typing import Literal

from selfimprove.api.base import Model
from selfimprove.summaries import Estimate, Figure

Basis = Literal["Dataset", "ReferenceSteps", "PassRate"]
"""What tells a prompt's difficulty: the field `level`, the steps of its reference, or M_0's pass rate in quintiles."""


class Levels(Model):
    """Prompts by difficulty; every list has one entry a level, the easiest level first."""

    basis: Basis
    names: list[str]
    hard: list[str]
    """The hardest ones, as many as hold at most half of the prompts, at least one; none where nothing orders them."""
    prompts: list[int]
    coverage: list[Estimate | None]
    """Share of a level's prompts with an accepted plain sample."""


class KeptLevels(Model):
    """The examples that this iteration drew itself, by level, in the order of `Levels.names`."""

    plain: list[int]
    guided: list[int]
    hard_share: Estimate | None = None
    """Share of the plain examples that are of hard levels."""
    hard_share_change: Estimate | None = None
    """The same less that of `compared_with`, paired by prompt."""
    compared_with: int | None = None


class Counts(Model):
    """How unequally samples are spread over prompts."""

    histogram: list[int]
    """How many prompts have 0, 1, 2, ... of them."""
    gini: Figure | None = None
    """0: every prompt has as many; towards 1: one prompt has all. None where there are no samples."""
    divergence: Figure | None = None
    """Kullback-Leibler divergence from equal counts, in bits; at most log2 of the number of prompts."""


class PromptCounts(Model):
    """The counts of prompts, plain and guided apart."""

    accepted: Counts | None = None
    """Plain samples that are right (accepted, where no answer is known); None where nobody can tell."""
    plain: Counts
    """Plain samples that train."""
    guided: Counts | None = None
    """Accepted guided samples, over the prompts that were guided; None without guidance."""


class Spread(Model):
    """How a positive quantity is spread over samples."""

    samples: int
    mean: Figure
    quantiles: list[Figure]
    """At `QUANTILES`."""
    first: int
    """The bin that `histogram` begins with; bin i holds values from 2^(i/8) to below 2^((i+1)/8)."""
    histogram: list[int]


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Texts(Model):
    """Length (in characters) and perplexity of samples, by what they are.

    Perplexity is that of the model that sampled, at temperature 1: of a guided sample under its hint, of references as
    it reads them under the plain prompt (a bounded number of them).
    """

    length: dict[str, Spread]
    """`reference`, `drawn` (all plain samples), `plain` and `guided` (those that train)."""
    perplexity: dict[str, Spread]
    """The same; no `reference` where `generate` read none."""


class Yield(Model):
    """What sampling brought on the tail: the prompts below `resampling.target` after `generate`."""

    strategy: str
    """Empty for the plain samples that left these prompts in the tail."""
    round: int
    tried: int
    accepted: int
    tokens: int
    """All that were sampled for it, the teacher's too; judges' left out."""
    leaks: dict[str, int] = {}
    """Right samples that were dropped because the hint shows in them, by how it shows (`guidance_counts`)."""
    rate: Estimate | None = None
    """Accepted samples for 1,000 tokens, bootstrapped over the prompts that had a turn; None where none was sampled."""

    @property
    def per_thousand(self) -> float:
        """Accepted samples for 1,000 tokens; 0 where none were sampled."""
        return 1000 * self.accepted / self.tokens if self.tokens else 0.0


class Control(Model):
    """How a tail that one draw of M_0 chose fares in a second draw of the same model, in which nothing changed."""

    samples: int
    """A prompt, in each draw: half of M_0's held-out samples."""
    target: int
    """A prompt with fewer accepted ones of them is tail."""
    chosen: Estimate
    """Coverage of the tail in the draw that chose it."""
    again: Estimate
    """In the second."""
    rise: Estimate
    """By how much it seems to have risen."""
