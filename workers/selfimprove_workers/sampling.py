"""Plain samples of a list of prompts, in numbered parts: what `generate` and `evaluate` share.

The engine gets every request that is left at once, so that it is never idle between parts, and gives samples back as
they finish; parts are cut from the ordered prefix of prompts that are complete, every half minute or so, and what is
drawn beyond it is put aside every minute, and when a signal comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from selfimprove.api.spec import Spec
from selfimprove_workers.aside import Aside
from selfimprove_workers.chat import render
from selfimprove_workers.context import StepContext
from selfimprove_workers.engines.base import Completion, Engine, SampleRequest
from selfimprove_workers.looking import look_over, look_over_all
from selfimprove_workers.prompts import PromptRow

SECONDS_A_PART = 20.0
ROWS_A_PART = 4096

Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How each prompt is sampled."""

    samples: int
    temperature: float
    top_p: float
    top_k: int
    max_tokens: int
    stop: tuple[str, ...]

    @classmethod
    def of_generation(cls, spec: Spec) -> Plan:
        """As `spec.generation` says."""
        each = spec.generation
        return cls(each.samples_per_prompt, each.temperature, each.top_p, each.top_k, each.max_tokens, tuple(each.stop))

    @classmethod
    def of_evaluation(cls, spec: Spec) -> Plan:
        """As `spec.evaluation` says; what it leaves open is as in `spec.generation`."""
        own, base = spec.evaluation, spec.generation
        return cls(
            samples=own.samples_per_prompt,
            temperature=0.0 if own.greedy else own.temperature,
            top_p=base.top_p if own.top_p is None else own.top_p,
            top_k=base.top_k if own.top_k is None else own.top_k,
            max_tokens=own.max_tokens or base.max_tokens,
            stop=tuple(base.stop if own.stop is None else own.stop),
        )

    def request(self, tokens: Sequence[int], seed: int) -> SampleRequest:
        """One sample after these tokens."""
        return SampleRequest(tokens, seed, self.max_tokens, self.temperature, self.top_p, self.top_k, self.stop)


@dataclass(frozen=True)
class Batch:
    """The samples of the next prompts in order, all of each prompt's."""

    rows: list[Row]
    prompts: int
    tokens: int


def draw(context: StepContext, plan: Plan, digest: str, done: int, write: Callable[[Batch], None]) -> None:
    """Sample the shard's prompts from the `done`-th on, handing whole prompts to `write` in their order.

    `digest`: of what the samples are made from. Raises `UserError` when the prompts do not suit the model's chat
    template or length, `TerminatedError` when a signal came, once everything that was drawn is kept.
    """
    aside = Aside(context, digest)
    prompts = context.prompts[done:]
    if not prompts:
        return
    _lint(context)
    engine = context.engine()
    context.stop_if_asked()  # loading a model takes minutes
    requests = _requests(context, engine, plan, prompts)
    earlier = done * plan.samples
    total = earlier + len(requests)
    context.progress.start(context.step.name, total, earlier + len(aside.known(requests)), "samples")
    drawn = aside.sample(
        lambda: engine, requests, lambda samples, tokens: context.progress.reach(earlier + samples, tokens)
    )
    with closing(drawn):
        for batch in _batches(engine, plan, prompts, requests, drawn):
            done += batch.prompts
            aside.done(done * plan.samples - earlier)
            write(batch)
    aside.keep()
    beyond = f", and {aside.count:,} samples of others" if aside.count else ""
    context.stop_if_asked(f"{done:,} of {len(context.prompts):,} prompts are kept{beyond}")


def _lint(context: StepContext) -> None:
    """Look the prompts over before any weight is loaded; the run's first step looks at those of every set.

    A task whose answers can't be checked on this machine is refused here as well, and a teacher that can't be asked.
    """
    _ = context.task
    if context.step.iteration == 0 and not context.step.split:
        look_over_all(context, context.sampling_iteration)
    else:
        look_over(context, context.sampling_iteration, context.prompts)


def _requests(context: StepContext, engine: Engine, plan: Plan, prompts: Sequence[PromptRow]) -> list[SampleRequest]:
    """Every sample of every prompt, prompt by prompt."""
    kwargs = context.spec.generation.chat_template_kwargs
    contexts = [render(engine.tokenizer, prompt.messages, kwargs) for prompt in prompts]
    return [
        plan.request(tokens, _seed(context, prompt, index))
        for tokens, prompt in zip(contexts, prompts, strict=True)
        for index in range(plan.samples)
    ]


def _batches(
    engine: Engine,
    plan: Plan,
    prompts: Sequence[PromptRow],
    requests: Sequence[SampleRequest],
    drawn: Iterable[tuple[int, Completion]],
) -> Iterator[Batch]:
    """Whole prompts in order, as soon as enough are complete, and at the end of what is drawn."""
    open_rows: dict[int, dict[int, Row]] = {}
    ready: list[Row] = []
    first, next_prompt, since = 0, 0, time.monotonic()
    for at, completion in drawn:
        which, index = divmod(at, plan.samples)
        rows = open_rows.setdefault(which, {})
        rows[index] = _row(engine, prompts[which], index, requests[at], completion)
        while len(open_rows.get(next_prompt, ())) == plan.samples:
            complete = open_rows.pop(next_prompt)
            ready += [complete[i] for i in range(plan.samples)]
            next_prompt += 1
        late = time.monotonic() - since > SECONDS_A_PART
        if ready and (late or len(ready) >= ROWS_A_PART):
            yield _batch(ready, next_prompt - first)
            ready, first, since = [], next_prompt, time.monotonic()
    if ready:
        yield _batch(ready, next_prompt - first)


def _batch(rows: list[Row], prompts: int) -> Batch:
    return Batch(rows, prompts, sum(len(row["tokens"]) for row in rows))


def _seed(context: StepContext, prompt: PromptRow, index: int) -> int:
    return context.seed("", prompt.id, index, 0)


def _row(engine: Engine, prompt: PromptRow, index: int, request: SampleRequest, completion: Completion) -> Row:
    return {
        "prompt": prompt.id,
        "sample": index,
        "strategy": "",
        "round": 0,
        "seed": request.seed,
        "text": engine.tokenizer.decode(completion.tokens, skip_special_tokens=True),
        "prompt_tokens": list(request.tokens),
        "tokens": completion.tokens,
        "prefix_length": 0,
        "logprob_sum": completion.logprob_sum,
        "finish": completion.finish,
        "verdict": None,
        "strict_verdict": None,
        "answer": None,
    }
