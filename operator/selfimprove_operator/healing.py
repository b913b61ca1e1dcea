"""Whether what kept a step from going on is gone, where its pods can't say so.

That no trouble is to be seen is no evidence: the pod that met it was deleted, the Job is on hold, a new attempt has not
come so far. What is open is kept in the condition itself, as reason and message, until the work is seen to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from selfimprove.api.status import Condition, Status, StepStatus, condition_of
from selfimprove.ledger import Ledger
from selfimprove.status_conditions import UNPROVEN
from selfimprove.status_ledger import step_of
from selfimprove_operator.observed import ObservedPod
from selfimprove_operator.timing import at_work_since
from selfimprove_operator.trouble import BY_ITSELF, outlasted


def unproven(
    before: Status | None,
    step: StepStatus | None,
    ledger: Ledger,
    pods: Sequence[ObservedPod],
    now: datetime,
) -> str | None:
    """The trouble of which nobody knows yet that it is gone; None where there is none. Asked where none is to be seen.

    `step`: as it stands now. `pods`: of the attempt at hand and of shards that are open.
    """
    old = condition_of(before, "Degraded")
    if before is None or old is None or step is None or before.step is None:
        return None
    if old.status != "True" and old.reason != UNPROVEN:
        return None
    return None if _gets_on(before.step, step, old, ledger, pods, now) else old.message


def _gets_on(
    before: StepStatus, step: StepStatus, old: Condition, ledger: Ledger, pods: Sequence[ObservedPod], now: datetime
) -> bool:
    """Whether the work is seen to go on: a shard is done, or pods are at work for longer than trouble takes to come.

    What kept pods from starting is over once all that there are run.
    """
    done, since = len(ledger.shards_done(step_of(before.name))), at_work_since(step)
    if old.message.endswith(BY_ITSELF):
        return done > before.shards_done or (since is not None and outlasted(pods, since, now))
    waits = any(not pod.over and pod.running_since is None for pod in pods)
    return done >= before.shards or (since is not None and not waits)
