"""The rows that travel between steps, one Arrow schema each (design sections 2 and 4).

Everything a later reader may ask for is in the row: the tokens that were sampled, the seed that drew them, the typed
verdict. Texts are for people; training reads token ids.
"""

from __future__ import annotations

import pyarrow as pa

MESSAGE = pa.struct([pa.field("role", pa.string(), False), pa.field("content", pa.string(), False)])

PROMPT = pa.schema(
    [
        pa.field("prompt", pa.string(), False),  # the prompt's id, unique within its split
        pa.field("messages", pa.list_(MESSAGE), False),  # the chat that asks it: system, few-shot turns, the question
        pa.field("answer", pa.string()),  # the gold answer, after answerPattern; null without one
        pa.field("rationale", pa.string()),  # a reference solution, for guidance
        pa.field("level", pa.string()),  # difficulty, as text
        pa.field("extra", pa.string()),  # JSON the task's checker needs (a Gym entry, the choices), else null
    ]
)
"""One prompt. `messages` with a single role "user" where the dataset has text. A base model without a chat template
gets the contents joined by blank lines."""

SAMPLE = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("sample", pa.int32(), False),  # index within (prompt, step); guided ones count on from the plain ones
        pa.field("strategy", pa.string(), False),  # "" for a plain sample, else the guidance strategy
        pa.field("round", pa.int32(), False),  # guidance round, from 1; 0 for a plain sample
        pa.field("seed", pa.int64(), False),
        pa.field("text", pa.string(), False),  # the completion as a person reads it, prefix included
        pa.field("prompt_tokens", pa.list_(pa.int32()), False),  # the PLAIN prompt, as training will see it
        pa.field("tokens", pa.list_(pa.int32()), False),  # the completion: prefix + sampled, EOS if it was sampled
        pa.field("prefix_length", pa.int32(), False),  # tokens of `tokens` that were given, not sampled
        pa.field("logprob_sum", pa.float64(), False),  # of sampled tokens, temperature 1, untruncated, EOS included
        pa.field("finish", pa.string(), False),  # "stop" or "length"
        pa.field("verdict", pa.string()),  # of the flexible check; null without a gold answer or before a check
        pa.field("strict_verdict", pa.string()),
        pa.field("answer", pa.string()),  # what the flexible check extracted
    ]
)
"""One sample. `generate` leaves the verdicts null (`verify` writes Scores); `resample` and `evaluate` fill them."""

SCORE = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("sample", pa.int32(), False),
        pa.field("method", pa.string(), False),  # the method's name; "GroundTruth" rows carry the verdicts
        pa.field("score", pa.float64()),  # null: no score (a parse failure, no label mass), never 0 for that
        pa.field("mass", pa.float64()),  # probability mass on the labels, where the method reads labels
        pa.field("verdict", pa.string()),
        pa.field("strict_verdict", pa.string()),
        pa.field("answer", pa.string()),
    ]
)
"""One score of one method for one sample. Where answers exist there is always one row of method "GroundTruth" a sample
(score: utility), whether or not GroundTruth is among the methods that select."""

VOTE = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("sample", pa.int32(), False),
        pa.field("method", pa.string(), False),
        pa.field("vote", pa.int32(), False),  # index within (prompt, sample, method)
        pa.field("text", pa.string(), False),  # at most generation.maxTokens tokens
        pa.field("finish", pa.string(), False),  # "stop" or "length"
        pa.field("says", pa.float64()),  # what was read from it; null: nothing that can be read
        pa.field("tokens", pa.int32(), False),
    ]
)
"""One critique of one sample, of a method that draws them: the score is the mean of what its votes say."""

EXAMPLE = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("sample", pa.int32(), False),
        pa.field("iteration", pa.int32(), False),  # that drew the sample
        pa.field("strategy", pa.string(), False),
        pa.field("level", pa.string()),
        pa.field("prompt_tokens", pa.list_(pa.int32()), False),
        pa.field("tokens", pa.list_(pa.int32()), False),
        pa.field("weight", pa.float32(), False),
    ]
)
"""One training example: loss falls on `tokens` only, times `weight`."""

PAIR = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("chosen_sample", pa.int32(), False),
        pa.field("rejected_sample", pa.int32(), False),  # always a plain one
        pa.field("iteration", pa.int32(), False),  # that drew both
        pa.field("strategy", pa.string(), False),  # of the chosen one
        pa.field("level", pa.string()),
        pa.field("prompt_tokens", pa.list_(pa.int32()), False),
        pa.field("chosen_tokens", pa.list_(pa.int32()), False),
        pa.field("rejected_tokens", pa.list_(pa.int32()), False),
        pa.field("weight", pa.float32(), False),
    ]
)
"""One training example of method DPO: two completions of one prompt, the first of which scored strictly higher."""

DECISION = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("sample", pa.int32(), False),
        pa.field("strategy", pa.string(), False),
        pa.field("weight", pa.float64(), False),  # 0 where not kept
        pa.field("reason", pa.string(), False),  # why it was kept or not, in a word or two
    ]
)
"""What `select` decided of one sample, for `selfimprove samples`."""

GIVEN = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("sample", pa.int32(), False),
        pa.field("characters", pa.int32(), False),  # of the sample's text, from its beginning
    ]
)
"""How much of a guided sample's text was given and not sampled, for people: `prefix_length` says it in tokens."""
