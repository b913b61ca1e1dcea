"""Training of a causal language model: packed, exact across ranks, resumable, without pickle.

The mathematics is one line, `loss = sum_t w_t nll_t / sum_t w_t` over the completion tokens of one optimizer batch
(see `loss`; for pairs that of `preference`), and nothing here may change it: not the packing, not gradient
accumulation, not the number of ranks, not a kill in between.
"""
