"""Whether what kept a step from going on is gone, where its pods can't say so: of a hold and of a new attempt.

A new attempt shows no trouble before it meets some, so that its absence is no evidence. What is open is kept in the
condition itself, as reason and message, until the work is seen to go on.
"""

from __future__ import annotations

from datetime import datetime

from selfimprove.api.status import Condition, Status, StepStatus
from selfimprove.status_conditions import UNPROVEN
from selfimprove_operator.timing import at_work_since
from selfimprove_operator.trouble import AT_WORK, BY_ITSELF, HEALED


def unproven(before: Status | None, step: StepStatus | None, suspended: bool, now: datetime) -> str | None:
    """The trouble of which nobody knows yet that it is gone; None where there is none. `step`: as it stands now, with
    no trouble to be seen.
    """
    old = next((found for found in before.conditions if found.type == "Degraded"), None) if before else None
    if before is None or old is None or step is None or before.step is None or _works(before.step, step, old, now):
        return None
    anew = step.attempt != before.step.attempt or step.state == "Failed"
    is_open = (suspended or anew) if old.status == "True" else old.reason == UNPROVEN
    return old.message if is_open else None


def _works(before: StepStatus, step: StepStatus, old: Condition, now: datetime) -> bool:
    """Whether a step is seen to get on: it did something, or is at work for longer than its trouble takes to come."""
    if step.name != before.name or step.shards_done > before.shards_done:
        return True
    since = at_work_since(step)
    if since is None:
        return False
    return not old.message.endswith(BY_ITSELF) or now - since > AT_WORK + HEALED
