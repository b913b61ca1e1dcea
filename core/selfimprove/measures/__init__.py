"""What is measured of a model from its samples: gap, relative gap, coverage, tail, pass@k, and whether it changed.

The definitions are those of "Mind the Gap" (arXiv 2412.02674) as design section 2 fixes them: per prompt first, then
over prompts, each with a seeded bootstrap interval over prompts; a difference of two models is paired by prompt. Numpy
only, and usable without a run: a `Table` of samples in, `summaries` out.

    table = table_of(prompt_ids, utility=utility, strict_utility=strict, weight=weight, accepted=accepted)
    select:   training_measures(table, tail=tail_of_iteration_1, target=4, seed=seed)
    measure:  held_out_measures(current, iteration=2, baseline=m0, first=m1, best=(1, m1), target=2, seed=seed)
"""

from selfimprove.measures.bootstrap import RESAMPLES, estimates
from selfimprove.measures.compare import paired_change, paired_difference, tail_change
from selfimprove.measures.concentration import counts_of, divergence, gini
from selfimprove.measures.control import control_line
from selfimprove.measures.difficulty import Difficulty, difficulty_of
from selfimprove.measures.diversity import answer_diversity, pass_at_k_change
from selfimprove.measures.drift import verifier_columns, verifier_figures, worst_figures
from selfimprove.measures.entry import held_out_measures, prompt_measures, ranges_of, training_measures
from selfimprove.measures.perprompt import columns, pass_at_k, pass_rate, scaled_target, tail_prompts
from selfimprove.measures.ratios import rate_estimate
from selfimprove.measures.shares import hard_share, hard_share_change, levels_of
from selfimprove.measures.spread import spread_of, spreads_of
from selfimprove.measures.table import Table, table_of
from selfimprove.measures.update import update_measures

__all__ = [
    "RESAMPLES",
    "Difficulty",
    "Table",
    "answer_diversity",
    "columns",
    "control_line",
    "counts_of",
    "difficulty_of",
    "divergence",
    "estimates",
    "gini",
    "hard_share",
    "hard_share_change",
    "held_out_measures",
    "levels_of",
    "paired_change",
    "paired_difference",
    "pass_at_k",
    "pass_at_k_change",
    "pass_rate",
    "prompt_measures",
    "ranges_of",
    "rate_estimate",
    "scaled_target",
    "spread_of",
    "spreads_of",
    "table_of",
    "tail_change",
    "tail_prompts",
    "training_measures",
    "update_measures",
    "verifier_columns",
    "verifier_figures",
    "worst_figures",
]
