"""`selfimprove plan`: what would be done next and why, from what is committed alone; it does and creates nothing.

Of a cluster's run its resource is asked, and not its storage: the decision is the operator's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

from selfimprove.adoption import require_adoptable
from selfimprove.api import Spec, cautions, resolved_defaults
from selfimprove.api.execution import StepName
from selfimprove.api.hinting import asks_a_teacher
from selfimprove.api.probing import most_draws_of
from selfimprove.artifacts import PROMPTS, load_ledger, read_manifest
from selfimprove.cli import warn
from selfimprove.cli.output import print_json
from selfimprove.cli.showing import at_work_since
from selfimprove.cli.where import Where
from selfimprove.errors import UserError
from selfimprove.last_failure import LastFailure, last_failure
from selfimprove.ledger import Ledger, StepId, Usage
from selfimprove.left_out import PROMPTS_OF, left_out_of
from selfimprove.loop import Left, Step, Stop, adopts, left, next_step, shards_of, steps_of
from selfimprove.prompt_counts import Counts, expected
from selfimprove.runs import RunHandle
from selfimprove.status_conditions import FINDINGS, Facts, Verdict, conditions_of
from selfimprove.store import Store

if TYPE_CHECKING:
    from selfimprove.cluster_run import ClusterRun


class Bound(NamedTuple):
    """The most that settings allow, of kinds of steps that have not run yet and so have no mean."""

    samples: int
    tokens: int


@dataclass(frozen=True)
class Plan:
    """What is said of a run's future."""

    name: str
    uri: str
    begun: bool
    decision: Step | Stop
    ahead: Left
    most: Bound | None
    """Of the steps of which `ahead` knows nothing."""
    spent: Usage
    resolved: Mapping[str, object]
    cautions: Sequence[str]
    found: Sequence[Verdict]
    """The conditions that hold, of those that say what was found of the model or its verifiers."""
    counts: Counts
    """The prompts that `most` is of."""
    left_out: Sequence[str] = ()
    """What the sets that were loaded have lost."""
    counted_by: str | None = None
    """A command that counts what is not known here."""
    failure: LastFailure | None = None
    """Why the last `run` here could not do what is next."""


def plan(run: str, where: Where, sets: Sequence[str], as_json: bool) -> None:
    """Print the plan of a run, which need not have begun."""
    seen = where.in_cluster(run)
    if seen is not None and sets:
        raise UserError(f"--set: changes a FILE, and {run} is a run of a cluster; give the FILE")
    found = _of_handle(where.look(run, sets)) if seen is None else _of_resource(seen, where)
    if as_json:
        print_json(_document(found))
    else:
        for caution in found.cautions:
            warn(caution)
        print("\n".join(_lines(found)))


def _of_handle(handle: RunHandle) -> Plan:
    ledger = load_ledger(handle.store)
    require_adoptable(handle.store, handle.spec, ledger)
    decision, ahead = next_step(handle.spec, ledger), left(handle.spec, ledger)
    loaded = prompt_counts(handle.store)
    counts = Counts(loaded) if loaded else expected(handle.spec.dataset)
    return Plan(
        name=handle.run.metadata.name,
        uri=handle.uri,
        begun=handle.begun,
        decision=decision,
        ahead=ahead,
        most=at_most(handle.spec, ledger, counts.prompts, ahead.unknown),
        spent=ledger.usage,
        resolved=resolved_defaults(handle.run.spec, handle.spec),
        cautions=[str(caution) for caution in cautions(handle.spec, counts.prompts.get("heldOut"))],
        found=_found(handle.spec, ledger, decision),
        counts=counts,
        left_out=left_out_of(handle.store),
        failure=None if at_work_since(handle.store) else last_failure(handle.store, decision),
    )


def _of_resource(seen: ClusterRun, where: Where) -> Plan:
    from selfimprove.cluster_run import accepted
    from selfimprove.status_left import left_of_status

    uri = accepted(seen).status.run_uri
    return Plan(
        name=seen.run.metadata.name,
        uri=uri,
        begun=True,
        decision=seen.decision,
        ahead=left_of_status(seen.spec, seen.status),
        most=None,
        spent=seen.ledger.usage,
        resolved=resolved_defaults(seen.run.spec, seen.spec),
        cautions=[str(caution) for caution in cautions(seen.spec)],
        found=_found(seen.spec, seen.ledger, seen.decision),
        counts=Counts({}),
        counted_by=where.again("plan", uri),
    )


def _found(spec: Spec, ledger: Ledger, decision: Step | Stop) -> list[Verdict]:
    facts = Facts(spec, ledger, decision, running=False, suspended=spec.suspend, trouble=None)
    return [each for each in conditions_of(facts) if each.type in FINDINGS and each.status == "True"]


def prompt_counts(store: Store) -> Mapping[str, int]:
    """Prompts of each split; empty before the dataset was loaded for the first time."""
    found = read_manifest(store, PROMPTS)
    return {split: sum(part.rows for part in parts) for split, parts in found[0].tables.items()} if found else {}


def at_most(spec: Spec, ledger: Ledger, prompts: Mapping[str, int], kinds: Sequence[str]) -> Bound | None:
    """What the missing steps of these kinds may come to, of so many prompts in each split; zero without kinds.

    None where the prompts of one of them are not known.
    """
    steps = [(step.step, _SPLITS[step.step]) for step in _missing(spec, ledger) if step.step in {*kinds} & {*_SPLITS}]
    steps += [("evaluate", "test")] * (2 if "evaluate-test" in kinds else 0)  # by M_0 and by the best
    if any(split not in prompts for _, split in steps):
        return None
    bounds = [_bound(spec, step, prompts[split]) for step, split in steps]
    return Bound(sum(bound.samples for bound in bounds), sum(bound.tokens for bound in bounds))


def _missing(spec: Spec, ledger: Ledger) -> Iterator[StepId]:
    for iteration in range(spec.max_iterations + 1):
        steps = [step for step in steps_of(spec, iteration) if not adopts(spec, step)]
        yield from (s for s in steps if len(ledger.shards_done(s)) < shards_of(spec, s))


def _bound(spec: Spec, step: StepName, prompts: int) -> Bound:
    samples = prompts * _SAMPLES[step](spec)
    tokens = spec.evaluation.max_tokens if step == "evaluate" else None
    return Bound(samples, samples * (tokens or spec.generation.max_tokens))


def _guided(spec: Spec) -> int:
    """Guided samples, critiques and the leak probe's samples of a prompt that never reaches the target."""
    resampling = spec.resampling
    turn = resampling.samples_per_round + asks_a_teacher(resampling)
    return resampling.max_rounds * turn + most_draws_of(resampling)


_SPLITS: Mapping[StepName, str] = {"generate": "train", "resample": "train", "evaluate": "heldOut"}
_SAMPLES: Mapping[StepName, Callable[[Spec], int]] = {
    "generate": lambda spec: spec.generation.samples_per_prompt,
    "resample": _guided,
    "evaluate": lambda spec: spec.evaluation.samples_per_prompt,
}
"""Samples that a prompt may get in each step that samples, all of them of full length."""


def _document(plan: Plan) -> dict[str, object]:
    decision, ahead, most = plan.decision, plan.ahead, plan.most
    return {
        "name": plan.name,
        "runURI": plan.uri,
        "begun": plan.begun,
        "next": _next(decision) if isinstance(decision, Step) else None,
        "stop": asdict(decision) if isinstance(decision, Stop) else None,
        "lastFailure": plan.failure.to_json() if plan.failure else None,
        "conditions": [{"type": type, "reason": reason, "message": text} for type, _, reason, text in plan.found],
        "left": {**asdict(ahead), "unknown": list(ahead.unknown), "atMostUnknown": most._asdict() if most else None},
        "prompts": plan.counts.prompts,
        "spent": {"tokens": plan.spent.tokens, "wallSeconds": round(plan.spent.wall_seconds, 1)},
        "warnings": list(plan.cautions),
        "resolved": plan.resolved,
    }


def _next(step: Step) -> dict[str, object]:
    name, iteration, missing = step.id.name, step.id.iteration, list(step.missing)
    return {"step": name, "iteration": iteration, "shards": step.shards, "missing": missing, "reason": step.reason}


def _lines(plan: Plan) -> list[str]:
    lines = [f"{plan.name} at {plan.uri}{'' if plan.begun else ' (not begun)'}"]
    if plan.failure:
        lines.append(
            f"Last  {plan.failure.step} failed: {plan.failure.message}; the next `selfimprove run` tries it again"
        )
    if isinstance(plan.decision, Stop):
        lines += ["Next  nothing: the run is over", f"Why   {plan.decision.rule}: {plan.decision.message}"]
    else:
        lines += [f"Next  {plan.decision.id.name}", f"Why   {_why(plan, plan.decision)}", *_left_lines(plan)]
    lines += [
        f"Found {each.type}, {each.reason}: {each.message}"
        for each in plan.found
        if not (isinstance(plan.decision, Stop) and each.message == plan.decision.message)  # it stands there already
    ]
    lines += [f"Data  {line}" for line in plan.left_out]
    return [*lines, "Defaults that were resolved", *(f"  {path}: {value}" for path, value in plan.resolved.items())]


def _why(plan: Plan, step: Step) -> str:
    """The reason of the next step, without what stands in a line of its own below."""
    why = step.reason
    for each in plan.found:
        why = why.removesuffix(f"; {each.type}, {each.reason}: {each.message}")
    return why


def _left_lines(plan: Plan) -> Iterator[str]:
    ahead = plan.ahead
    iterations = f"{ahead.iterations} {'iteration' if ahead.iterations == 1 else 'iterations'} at most"
    counts = {"samples": ahead.samples, "tokens": ahead.tokens}
    known = " and ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    yield f"Left  {iterations}" + (f"; about {known}" if known else "")
    if ahead.unknown and plan.counted_by:
        yield f"      and what a status does not tell of ({', '.join(ahead.unknown)}): counted by {plan.counted_by}"
    elif ahead.unknown:
        bound = _bound_text(plan.most, plan.counts)
        yield f"      and of steps that never ran yet ({', '.join(ahead.unknown)}): {bound}"


def _bound_text(most: Bound | None, counts: Counts) -> str:
    if most is None:
        return f"not known before the dataset is loaded ({counts.missing})"
    if not most.samples:
        return "no samples; what they cost is not known before one has run"
    bound = f"{most.samples:,} samples and {most.tokens:,} sampled tokens"
    of = " and ".join(f"{n:,} {PROMPTS_OF[split]}" for split, n in counts.prompts.items())
    if counts.sure:
        return f"at most {bound}, of {of} prompts"
    return f"about {bound}, of about {of} prompts"
