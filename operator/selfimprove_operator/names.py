"""Names and labels of a run's Jobs: made from what is fixed, so that the same step always has the same name."""

from __future__ import annotations

from selfimprove.ledger import StepId

DOMAIN = "selfimprove.dev"
RUN = f"{DOMAIN}/run"
RUN_UID = f"{DOMAIN}/run-uid"
ITERATION = f"{DOMAIN}/iteration"
STEP = f"{DOMAIN}/step"
SPLIT = f"{DOMAIN}/split"
ATTEMPT = f"{DOMAIN}/attempt"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "selfimprove"
SETTINGS = f"{DOMAIN}/settings"
INDEX = "batch.kubernetes.io/job-completion-index"
QUEUE = "kueue.x-k8s.io/queue-name"
WORKLOAD_PRIORITY = "kueue.x-k8s.io/priority-class"

_RUN_PART = 30
"""Characters of the run's name in a Job's: Job name, `-` and index must fit 63; the uid keeps it unique."""


def uid8(uid: str) -> str:
    """The first eight digits of a uid: enough to tell a run from one of the same name before it."""
    return uid.replace("-", "")[:8]


def job_name(run: str, uid: str, step: StepId, attempt: int) -> str:
    """The name of the Job that does a step: `gsm8k-1a2b3c4d-i002-verify-1`."""
    return f"{run[:_RUN_PART].rstrip('-')}-{uid8(uid)}-{step.name}-{attempt}"


def attempt_of(job: str) -> int:
    """The attempt that a Job's name ends with; 0 for a name that is none of ours."""
    attempt = job.rpartition("-")[2]
    return int(attempt) if attempt.isdecimal() else 0


def is_named_by_us(job: str, step: str) -> bool:
    """Whether a Job has the name of an attempt at the step that it is labelled with: one that has not is nobody's."""
    return job.endswith(f"-{step}-{attempt_of(job)}")


def labels_of(run: str, uid: str, step: StepId, attempt: int) -> dict[str, str]:
    """What every Job and pod of a step is labelled with."""
    labels = {
        MANAGED_BY: MANAGER,
        RUN: run,
        RUN_UID: uid,
        ITERATION: str(step.iteration),
        STEP: step.step,
        ATTEMPT: str(attempt),
    }
    return {**labels, SPLIT: step.split} if step.split else labels
