"""One look at one run: read the views, decide by `reconcile`, and carry it out in the order that a crash can't harm.

Status first, with the intent in it, then the Jobs, then events (design section 5). A decision that rests on a Job's
absence is taken again on a fresh list before it is believed: views may be late.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from selfimprove.api.installation import Defaults
from selfimprove.api.status import Status
from selfimprove_operator.acceptance import status_in
from selfimprove_operator.actions import Action, CreateJob, Event, Outcome
from selfimprove_operator.client import ApiError
from selfimprove_operator.cluster import Cluster
from selfimprove_operator.complaints import complaint
from selfimprove_operator.metrics import Metrics
from selfimprove_operator.names import RUN_UID
from selfimprove_operator.observed import Observed
from selfimprove_operator.reconcile import reconcile
from selfimprove_operator.trial import is_settled, trials
from selfimprove_operator.views import Key, Views
from selfimprove_operator.work import RetryError, WorkQueue

TAKEN_SECONDS = 2.0
"""How soon to ask again for a Job's name that another Job still has."""

logger = logging.getLogger(__name__)


class Controller:
    """Looks at runs. `leads`: whether this process may act."""

    def __init__(
        self,
        cluster: Cluster,
        views: Views,
        queue: WorkQueue[Key],
        defaults: Defaults,
        metrics: Metrics,
        leads: Callable[[], bool],
    ) -> None:
        self._cluster, self._views, self._queue = cluster, views, queue
        self._defaults, self._metrics, self._leads = defaults, metrics, leads

    async def look(self, key: Key) -> None:
        """Look at a run, and do what follows. Raises `RetryError` and `ApiError` for what may go better later."""
        if not self._leads():
            return
        observed = self._views.observe(key)
        if observed is None:
            self._queue.forget(key)
            return
        with self._metrics.reconcile_seconds.time():
            observed = await self._placed(key, observed)
            observed = await self._judged(key, observed)
            outcome = self._decide(observed)
            if _gives_up_an_attempt(observed, outcome):
                observed = await self._fresh(key, observed)
                outcome = self._decide(observed)
            await self._carry_out(key, observed, outcome)

    def failed(self, key: Key, error: Exception) -> None:
        """Note a look that came to nothing; it is repeated by itself."""
        name = "/".join(key)
        if isinstance(error, RetryError) or (isinstance(error, ApiError) and error.transient):
            logger.info("%s: %s; it is tried again", name, error)
            return
        self._metrics.reconcile_errors.inc()
        logger.error("%s: %s", name, error, exc_info=None if isinstance(error, ApiError) else error)

    def _decide(self, observed: Observed) -> Outcome:
        return reconcile(observed, self._defaults, datetime.now(UTC))

    async def _placed(self, key: Key, observed: Observed) -> Observed:
        """The run with whether its namespace is being deleted, asked when a pod that has ended is about to go."""
        going = any(pod.over and pod.deleting_since for pod in observed.pods)
        if observed.doomed or not going or not await self._cluster.is_going(key[0]):
            return observed
        self._views.doomed.add(observed.run["metadata"]["uid"])
        return self._views.observe(key) or observed

    async def _judged(self, key: Key, observed: Observed) -> Observed:
        """The run with what the API server has against its Jobs, if this generation of it was not taken yet."""
        run = observed.run
        if observed.doomed or is_settled(run) or run["metadata"].get("deletionTimestamp"):
            return observed
        tried = trials(observed, self._defaults, datetime.now(UTC))
        errors = await asyncio.gather(*(self._cluster.refusal_of(trial.job) for trial in tried))
        told = (complaint(error, trial.job, trial.origins) for trial, error in zip(tried, errors, strict=True) if error)
        return self._views.observe(key, next(told, "")) or observed

    async def _fresh(self, key: Key, observed: Observed) -> Observed:
        jobs, pods = await self._cluster.children(observed.run)
        for job in jobs:
            self._views.put_job(job)
        for pod in pods:
            self._views.put_pod(pod)
        return self._views.observe(key) or observed

    async def _carry_out(self, key: Key, observed: Observed, outcome: Outcome) -> None:
        run = observed.run
        if outcome.status is not None:
            run = await self._written(key, run, outcome.status)
            self._metrics.changed(status_in(observed), outcome.status, datetime.now(UTC))
        try:
            for action in outcome.actions:
                await self._act(key, action)
        finally:  # the status that they tell of is written, whatever becomes of the Jobs
            for event in outcome.events:
                await self._say(run, event)

    async def _written(self, key: Key, run: Mapping[str, Any], status: Status) -> Mapping[str, Any]:
        """The run as it is with the status in it. Where it has changed since, it is read and looked at again."""
        try:
            written = await self._cluster.write_status(run, status)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            found = await self._cluster.run(*key)
            if found is None:
                self._views.drop_run(key, run["metadata"]["uid"])
                raise RetryError("it is gone") from error
            self._views.put_run(found)
            raise RetryError("it has changed since it was looked at") from error
        self._views.put_run(written)
        return written

    async def _act(self, key: Key, action: Action) -> None:
        try:
            job = await self._cluster.act(key[0], action)
        except ApiError as error:
            if isinstance(action, CreateJob) and not error.transient:
                self._refused(key, action, error)
                return
            raise
        if job is not None:
            self._views.put_job(job)
        if isinstance(action, CreateJob):
            name = action.manifest["metadata"]["name"]
            self._views.refusals.get(key, {}).pop(name, None)
            if job is None:
                raise RetryError(f"another Job is named {name}", TAKEN_SECONDS)

    def _refused(self, key: Key, action: CreateJob, error: ApiError) -> None:
        """It shows in the status at the next look, which is at once; the Job is tried again at every resync."""
        if error.namespace_goes:
            self._views.doomed.add(action.manifest["metadata"]["labels"][RUN_UID])
            return
        if self._views.refuse_of(key, action.manifest["metadata"]["name"], error.message, None):
            self._queue.wake(key)

    async def _say(self, run: Mapping[str, Any], event: Event) -> None:
        """An event that can't be posted is worth no retry: what it says stands in the status."""
        try:
            await self._cluster.post_event(run, event)
        except ApiError as error:
            logger.warning("%s: event %s was not posted: %s", run["metadata"]["name"], event.reason, error)


def _gives_up_an_attempt(observed: Observed, outcome: Outcome) -> bool:
    """Whether the outcome begins another attempt at a step."""
    before = (observed.run.get("status") or {}).get("step") or {}
    after = outcome.status.step if outcome.status else None
    return after is not None and after.name == before.get("name") and after.attempt > int(before.get("attempt", 1))
