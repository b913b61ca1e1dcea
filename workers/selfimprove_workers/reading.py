"""How likely the model that samples finds the reference solutions: what its own texts' perplexity is compared with.

After "Mitigating Tail Narrowing" (arXiv 2411.00750, section 2): self-generated texts keep to what the model finds easy,
references do not. One forward pass over a bounded number of references, where the model is loaded anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from selfimprove.artifacts import Manifest, Part, PartWriter, digest_of, read_rows
from selfimprove.gathering import floats, numpy_of
from selfimprove.store.base import Store
from selfimprove.weighting import Floats
from selfimprove_workers.chat import render
from selfimprove_workers.context import StepContext
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.references import reference_tokens

REFERENCE = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("tokens", pa.int32(), False),  # read of the solution, its end included; 0: too long for the model
        pa.field("logprob_sum", pa.float64(), False),
    ]
)
"""A reference solution under the plain prompt, teacher-forced at temperature 1."""

MOST = 1024
"""References read in an iteration, all shards together; prompts stand in the order of a hash, so the first are any."""
TABLE = "reference"
TOKENS = "referenceTokens"
_A_PART = 128


def read_references(context: StepContext, digest: str) -> PartWriter:
    """The shard's share of the references read by the model that samples, from where an earlier attempt stopped.

    `digest`: of the recipe. `referenceTokens` of its totals are the tokens that were read: prompts and solutions.
    Raises `TerminatedError` after the part at hand when a signal came.
    """
    writer = context.writer(digest_of(digest, TABLE, 1), REFERENCE, table=TABLE)
    known = [prompt for prompt in context.prompts if prompt.solution]
    most = min(len(known), -(-MOST // context.shards))
    for start in range(writer.prompts_done, most, _A_PART):
        prompts = known[start : min(start + _A_PART, most)]
        rows, tokens = _read(context, prompts)
        writer.write(rows, len(prompts), {TOKENS: tokens})
        context.stop_if_asked()
    return writer


def reference_perplexity(store: Store, generated: Sequence[Manifest]) -> Floats:
    """[r] Perplexity of each reference that was read, to the model that sampled; NaN for one that was too long."""
    return np.concatenate([np.empty(0), *_perplexities(store, generated)])


def _perplexities(store: Store, generated: Sequence[Manifest]) -> Iterator[Floats]:
    parts: list[Part] = [part for manifest in generated for part in manifest.tables.get(TABLE, ())]
    for batch in read_rows(store, parts, REFERENCE, ["tokens", "logprob_sum"]):
        tokens, logprob = numpy_of(batch["tokens"]).astype(np.float64), floats(batch["logprob_sum"])
        yield np.exp(-np.divide(logprob, tokens, out=np.full(len(tokens), np.nan), where=tokens > 0))


def _read(context: StepContext, prompts: Sequence[PromptRow]) -> tuple[list[dict[str, object]], int]:
    """The rows of some prompts, and how many tokens the model read for them."""
    engine, kwargs = context.engine(), context.spec.generation.chat_template_kwargs
    contexts = [render(engine.tokenizer, prompt.messages, kwargs) for prompt in prompts]
    pairs = zip(contexts, prompts, strict=True)
    said = [reference_tokens(engine.tokenizer, c, prompt.solution or "") for c, prompt in pairs]
    said = [s if len(c) + len(s) <= engine.max_model_len else [] for c, s in zip(contexts, said, strict=True)]
    found = engine.logprobs(contexts, said)
    rows: list[dict[str, object]] = [
        {"prompt": prompt.id, "tokens": len(tokens), "logprob_sum": float(each.sum())}
        for prompt, tokens, each in zip(prompts, said, found, strict=True)
    ]
    return rows, sum(len(c) + len(s) for c, s in zip(contexts, said, strict=True) if s)
