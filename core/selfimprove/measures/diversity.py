"""How different a model's answers are, and whether it still finds the rare right ones.

Answer diversity looks at what the samples of a prompt say; effective diversity is the pass@k curve (Mind the Gap,
section 5): over iterations it rises at small k and falls at large k when rare right answers are trained away.
"""

from __future__ import annotations

from math import log2

import numpy as np

from selfimprove.details import Diversity
from selfimprove.measures.bootstrap import RESAMPLES, estimates
from selfimprove.measures.compare import check_alike, paired_change
from selfimprove.measures.perprompt import pass_at_k
from selfimprove.measures.table import Floats, Ints, Table
from selfimprove.summaries import Estimate


def answer_columns(answer: Ints, prompt: Ints, prompts: int) -> dict[str, Floats]:
    """[P] `answered`: share of the samples that give an answer; `distinct_answers`; `entropy` of the answers, in bits.

    `answer`: [n] equal numbers for equal answers, -1 for none. The last two are over the samples that give one, NaN
    without any. Both grow with the number of samples: compare models at the same number.
    """
    size = np.bincount(prompt, minlength=prompts)
    given = answer >= 0
    total = np.bincount(prompt[given], minlength=prompts)
    pairs, count = np.unique(np.stack([prompt[given], answer[given]]), axis=1, return_counts=True)
    share = count / total[pairs[0]]
    some = total > 0
    return {
        "answered": np.divide(total, size, out=np.full(prompts, np.nan), where=size > 0),
        "distinct_answers": np.where(some, np.bincount(pairs[0], minlength=prompts), np.nan),
        "entropy": np.where(some, np.bincount(pairs[0], -share * np.log2(share), prompts) + 0.0, np.nan),
    }


def answer_diversity(
    answer: Ints, prompt: Ints, prompts: int, *, seed: int, resamples: int = RESAMPLES
) -> Diversity | None:
    """The same with intervals over prompts; None where no sample gives an answer."""
    if not (answer >= 0).any():
        return None
    most = int(np.bincount(prompt, minlength=prompts).max())
    ranges = {"distinct_answers": (1.0, float(most)), "entropy": (0.0, log2(most))}
    found = estimates(answer_columns(answer, prompt, prompts), seed=seed, resamples=resamples, ranges=ranges)
    return Diversity(**found)


def pass_at_k_change(
    current: Table, other: Table, *, seed: int, resamples: int = RESAMPLES
) -> dict[str, Estimate] | None:
    """k -> pass@k of `current` less that of `other`, paired by prompt, for every k that both have; None without any.

    Raises `FailedError` when the two answered different prompts.
    """
    check_alike(current, other)
    now, then = pass_at_k(current), pass_at_k(other)
    changes = {str(k): paired_change(now[k] - then[k], seed=seed, resamples=resamples) for k in now if k in then}
    return {k: change for k, change in changes.items() if change} or None
