"""Retention, carried out where the credentials for storage are: in the worker that has just measured an iteration.

The operator reaches no storage, and on one machine the same step does the same. Space is never worth a step, so what
can't be removed now is left to the next iteration, or to `selfimprove prune`.
"""

from __future__ import annotations

import logging

from selfimprove.retention import prune
from selfimprove_workers.context import StepContext

_log = logging.getLogger(__name__)


def keep_to_retention(context: StepContext) -> None:
    """Remove what `storage.retention` allows to go. Raises nothing."""
    try:
        gone = prune(context.store, context.spec.storage, before=context.step.iteration)
    except Exception as error:  # of whatever kind
        _log.warning("storage.retention: what may go could not be removed (%s)", error)
        return
    if gone:
        size = sum(removal.size for removal in gone)
        _log.info("storage.retention: removed %d objects, %.1f MB", len(gone), size / 1e6)
