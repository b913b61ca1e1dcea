"""What a step's pods came to: shards done, failures, GPU time. Taken into the status before anything may be deleted.

Pods are looked at, not the Job: its own verdict comes a second and more later, and a pod that vanished has been taken
into account while it was there. A pod is counted once, by its uid.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import ValidationError

from selfimprove.api.status import StepStatus
from selfimprove.errors import FAILED, SURROUNDINGS, TERMINATED, WRONG_INPUT
from selfimprove.failing import shortened
from selfimprove.ledger import Ledger, StepId
from selfimprove.status_ledger import step_of
from selfimprove.summaries import ManifestRef, Summary
from selfimprove_operator.names import uid8
from selfimprove_operator.observed import OUT_OF_MEMORY, ObservedJob, ObservedPod
from selfimprove_operator.timing import timed

NO_RETRY = frozenset((WRONG_INPUT, FAILED))
IGNORED = frozenset((SURROUNDINGS, TERMINATED))
MOST_ACCOUNTED = 256
_LONGEST = 800
"""Bytes of what a pod said: a message of the status holds 1,024."""
_SHOWN_LINES = 6
_SHOWN_BYTES = 500
"""Of a log; what is said around it has to fit too."""
_OWN_WORD = "error: "
_PROGRESS = '{"promptsDone"'
"""How the line begins that a worker leaves for us alone."""
_NEEDS_FIGURES = frozenset(("select", "measure"))
"""Steps whose summary the decision reads: without it they are done again, which finds the manifest and answers."""


@dataclass(frozen=True)
class Harvest:
    """The ledger and the step after a look at its pods, and how much came to the run's counters."""

    ledger: Ledger
    step: StepStatus
    failures: int = 0
    disruptions: int = 0
    disrupted: str = ""
    """What the last of the disruptions was, for people."""
    lost: bool = False
    """A pod did its work and its last word can't be read."""


def harvest(
    ledger: Ledger,
    step: StepStatus,
    job: ObservedJob | None,
    pods: Sequence[ObservedPod],
    now: datetime,
    *,
    held: bool,
    leaves: bool = False,
) -> Harvest:
    """Take in what is new since the status was written. `pods`: of every attempt at this step. `held`: by the user.

    `leaves`: the run has ended without the step. What that still spends counts; what it begins and commits is found
    when the run is reopened, and must not reopen it.
    """
    done_before = ledger.shards_done(step_of(step.name))
    ended = sorted((pod for pod in pods if pod.over), key=_end_order)
    fresh = [pod for pod in _unaccounted(ended, step) if not (pod.succeeded and pod.index in done_before)]
    spent = sum(_gpu_seconds(pod) for pod in fresh)
    if spent:
        ledger = ledger.with_gpu_seconds(step_of(step.name).iteration, spent)
    ledger, lost = (ledger, False) if leaves else _outcomes(ledger, step, job, ended)
    failed = [pod for pod in fresh if counts(pod, job)]
    done = ledger.shards_done(step_of(step.name))
    update = {
        "accounted": known_of(pod for pod in ended if not (pod.succeeded and pod.index in done)),
        "failures": max(step.failures or 0, _worst(pods, step, job)) or None,
        "message": explain(failed[-1]) if failed else step.message,
        **_patience(step, fresh, job, begun=step.prompts is not None or (not leaves and any(map(_has_run, pods)))),
    }
    still = [pod for pod in pods if pod.attempt == step.attempt and pod.index not in done]
    disrupted = [pod for pod in fresh if pod.disrupted and not pod.succeeded]
    fresh_of_it = [pod for pod in fresh if pod.attempt == step.attempt]
    step, worked = timed(step.model_copy(update=update), job, still, fresh_of_it, now, held=held)
    return Harvest(
        ledger.with_wall_seconds(worked),
        step,
        failures=len(failed),
        disruptions=len(disrupted),
        disrupted=_disruption(disrupted),
        lost=lost,
    )


def _disruption(pods: Sequence[ObservedPod]) -> str:
    """What stopped pods that did not fail, of the last one; empty where none was stopped."""
    if not pods:
        return ""
    last = pods[-1]
    more = f" (and {len(pods) - 1} more)" if len(pods) > 1 else ""
    said = shortened(last.ended_by, _SHOWN_BYTES) or "its node, or who evicts pods, says no more"
    return f"{last.step}: pod {last.name}{more} was stopped: {said}; it counts as no failure"


def _unaccounted(ended: Sequence[ObservedPod], step: StepStatus) -> Sequence[ObservedPod]:
    """The pods whose end is news. Where the list of known ones is full, those before the first of it are known too."""
    known = set(step.accounted or ())
    places = [place for place, pod in enumerate(ended) if uid8(pod.uid) in known]
    first = places[0] if places and len(known) >= MOST_ACCOUNTED else 0
    return [pod for pod in ended[first:] if uid8(pod.uid) not in known]


def known_of(pods: Iterable[ObservedPod]) -> list[str] | None:
    """Of pods whose time is counted already, those that have ended, as a step keeps them."""
    ended = sorted((pod for pod in pods if pod.over), key=_end_order)
    return [uid8(pod.uid) for pod in ended][-MOST_ACCOUNTED:] or None


def counts(pod: ObservedPod, job: ObservedJob | None) -> bool:
    """Whether a pod's end counts as a failure of its step: where the Job controller takes it for one. `job`: at hand.

    A pod that somebody deletes, and that has to be killed, is one: only what evicts pods says so (DisruptionTarget).
    """
    if pod.succeeded or pod.disrupted or not pod.over or (pod.removed and _stopped_with(job, pod)):
        return False
    return pod.ended is None or pod.ended.exit_code not in IGNORED


def _stopped_with(job: ObservedJob | None, pod: ObservedPod) -> bool:
    """Whether a pod had to go because its Job was held, given up or over: the Job controller counts none of these."""
    if job is None or job.name != pod.job or job.suspended or job.deleting or job.ended:
        return True
    told = pod.told_to_go_at
    return job.resumed_at is not None and told is not None and told <= job.resumed_at  # whole seconds, both


def is_final(pod: ObservedPod) -> bool:
    """Whether a pod said at its end that no retry can help."""
    return pod.ended is not None and not pod.disrupted and pod.ended.exit_code in NO_RETRY


def explain(pod: ObservedPod) -> str:
    """Why a pod failed, for people: its own word or the last lines of its log, and its exit code.

    Whoever shows it names the step, so that the worker's own naming of it goes.
    """
    if pod.never_ran:
        return f"{pod.name}: it was deleted before it ran"
    if pod.ended is None:
        said = shortened(pod.ended_by, _LONGEST) or "it ended without a word, as when its node is lost"
        return f"{pod.name}: {said}; kubectl get events shows more"
    said = _last_lines(pod.ended.message) or pod.ended.reason or "no message"
    said = said.removeprefix(_OWN_WORD).removeprefix(f"{pod.step}: ")
    if pod.ended.reason == OUT_OF_MEMORY:  # its last line is of something else
        step = step_of(pod.step).step
        said = (
            f"{OUT_OF_MEMORY}: it took more memory than its limit; give more by limits.memory of "
            f"spec.execution.defaults.resources, or of spec.execution.steps.{step}.resources where that is given"
        )
    elif pod.removed:
        said = "it was deleted, and killed since it did not end within its grace"
    return f"{shortened(said, _LONGEST)} (exit {pod.ended.exit_code}, pod {pod.name})"


def _last_lines(message: str) -> str:
    """The worker's own word, which says it all; of a log, which is all there is of one that died, its last lines."""
    lines = [line.strip() for line in message.splitlines() if line.strip() and not line.startswith(_PROGRESS)]
    kept: list[str] = []
    for line in reversed(lines[-_SHOWN_LINES:]):
        if kept and sum(len(each.encode()) for each in (line, *kept)) > _SHOWN_BYTES:
            break
        kept.insert(0, line)
        if line.startswith(_OWN_WORD):
            break
    return " | ".join(kept)


def summaries_in(pod: ObservedPod) -> list[Summary]:
    """The summaries that a pod ended with; none where its message can't be read."""
    try:
        found = json.loads(pod.ended.message) if pod.ended else []
        return [Summary.model_validate(each) for each in (found if isinstance(found, list) else [found])]
    except (ValueError, ValidationError):
        return []


def _outcomes(
    ledger: Ledger, step: StepStatus, job: ObservedJob | None, ended: Sequence[ObservedPod]
) -> tuple[Ledger, bool]:
    """The ledger with all that is done of a step, and whether a summary that is needed was lost."""
    ledger, lost = _commits(ledger, step, [pod for pod in ended if pod.succeeded])
    return _completed(ledger, step, lost) if job and job.ended == "Complete" else (ledger, lost)


def _commits(ledger: Ledger, step: StepStatus, pods: Iterable[ObservedPod]) -> tuple[Ledger, bool]:
    """The ledger with every shard that a pod finished, and whether a summary that is needed was lost."""
    lost = False
    for pod in pods:
        told = {StepId(s.iteration, s.step, s.split): s for s in summaries_in(pod)}
        for name in (step.name, *(step.together or ())):
            id = step_of(name)
            if id not in told and id.step in _NEEDS_FIGURES:
                lost = lost or (pod.attempt == step.attempt and not ledger.shards_done(id))
                continue
            summary = told.get(id) or _silent(id, pod.index)
            # Time is counted from the pods' own times, that of failed attempts too.
            timeless = {"gpu_seconds": 0.0, "seconds": 0.0}
            ledger = ledger.with_commit(summary.model_copy(update={"shard": pod.index, **timeless}))
    return ledger, lost


def _completed(ledger: Ledger, step: StepStatus, lost: bool) -> tuple[Ledger, bool]:
    """A Job that is Complete did every index, whether its pods can still be seen or not."""
    for name in (step.name, *(step.together or ())):
        id = step_of(name)
        if id.step in _NEEDS_FIGURES:
            lost = lost or not ledger.shards_done(id)
            continue
        for shard in set(range(step.shards)) - ledger.shards_done(id):
            ledger = ledger.with_commit(_silent(id, shard))
    return ledger, lost


def _silent(step: StepId, shard: int) -> Summary:
    """A shard that is done and of which nothing more is known: the figures come from the reductions."""
    named = {"step": step.step, "iteration": step.iteration, "split": step.split, "shard": shard}
    return Summary.model_validate({**named, "manifest": ManifestRef(uri="", sha256="")})


def _gpu_seconds(pod: ObservedPod) -> float:
    end = pod.ended
    if end is None or end.started_at is None or end.finished_at is None:
        return 0.0
    return pod.gpus * max((end.finished_at - end.started_at).total_seconds(), 0.0)


def _worst(pods: Iterable[ObservedPod], step: StepStatus, job: ObservedJob | None) -> int:
    """Failures of the index that failed most, at this attempt. An end that is final says itself why: it used up no
    retries.
    """
    tried = (pod for pod in pods if pod.attempt == step.attempt and counts(pod, job) and not is_final(pod))
    failures = Counter(pod.index for pod in tried)
    return max(failures.values(), default=0)


def _patience(
    step: StepStatus, fresh: Sequence[ObservedPod], job: ObservedJob | None, *, begun: bool
) -> dict[str, int | None]:
    """Ends in a row that count as nothing; a pod that got further than any before it begins a new row.

    `begun`: a pod of the step has run. Nothing else keeps that once its pods are gone: a hold leaves none.
    """
    ignored, prompts = step.ignored or 0, step.prompts or 0
    for pod in fresh:
        if pod.succeeded:
            ignored, prompts = 0, 0  # those that are left need not have come as far as this one
        elif _is_ignored(pod, job) and not _asked_for(pod, step, job):
            done = _prompts_done(pod)
            ignored, prompts = (0, done) if done > prompts else (ignored + 1, prompts)
    return {"ignored": ignored or None, "prompts": prompts if begun else None}


def _has_run(pod: ObservedPod) -> bool:
    """Whether its container was at work, for however long."""
    return pod.running_since is not None or (pod.ended is not None and pod.ended.started_at is not None)


def _is_ignored(pod: ObservedPod, job: ObservedJob | None) -> bool:
    """Whether a pod was stopped: it failed at nothing, not at reaching its surroundings either."""
    return not counts(pod, job) and (pod.ended is None or pod.ended.exit_code != SURROUNDINGS)


def _asked_for(pod: ObservedPod, step: StepStatus, job: ObservedJob | None) -> bool:
    """Whether the user had a pod stopped, by an edit or a hold, or it never ran: neither says that nodes do not last.

    A hold is Kueue's where the Job is: to lose its place again and again is no progress.
    """
    kueues = job is not None and job.queued
    return pod.never_ran or pod.attempt != step.attempt or (_stopped_with(job, pod) and not kueues)


def _prompts_done(pod: ObservedPod) -> int:
    """How far a pod was that did not end well, as the last line of its last word says: `{"promptsDone": 12}`."""
    try:
        found = json.loads(pod.ended.message.splitlines()[-1]) if pod.ended and pod.ended.message else {}
    except ValueError:
        return 0
    done = found.get("promptsDone", 0) if isinstance(found, dict) else 0
    return done if isinstance(done, int) else 0


def _end_order(pod: ObservedPod) -> tuple[str, str]:
    finished = pod.ended.finished_at if pod.ended else None
    return (finished.isoformat() if finished else "", pod.uid)


def cleared(ledger: Ledger, step: StepId) -> Ledger:
    """The ledger in which a step never failed: a person asked for another try."""
    return replace(
        ledger,
        failures={id: n for id, n in ledger.failures.items() if id != step},
        causes={id: text for id, text in ledger.causes.items() if id != step},
        fatal={id: text for id, text in ledger.fatal.items() if id != step},
    )
