"""A pretended cluster for the tests of `reconcile`: Jobs whose pods end as they are told, seen late or in pieces.

It keeps what a real API server would: the run with its resourceVersion, Jobs by name, pods by index. What it does not
pretend is any of the operator's own logic.
"""

from __future__ import annotations

import copy
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from selfimprove.api.installation import Defaults
from selfimprove.api.status import Status
from selfimprove.ledger import StepId
from selfimprove.status_ledger import step_of
from selfimprove_operator.actions import Action, CreateJob, DeleteJob, Event, ExpireJob, StopJob, SuspendJob
from selfimprove_operator.observed import Observed, job_of, pod_of
from selfimprove_operator.reconcile import reconcile
from selfimprove_operator.settings import Settings
from tests.unit.loop_support import measures, selected, summary_of

START = datetime(2026, 11, 24, tzinfo=UTC)
DEFAULTS = Defaults.model_validate(
    {
        "storage": {"uri": "s3://lab/runs", "credentialsSecretName": "s3"},
        "images": {"sampler": "sampler:1", "trainer": "trainer:1", "verifier": "verifier:1"},
    }
)
GPU = Settings().defaults.gpu.resource_name


def run_manifest(uid: str = "1a2b3c4d-0000", **spec: Any) -> dict[str, Any]:
    """A run as the API server has it."""
    dataset = {"uri": "s3://lab/train.jsonl", "task": "Math", "fields": {"answer": "answer"}}
    return {
        "apiVersion": "selfimprove.dev/v1alpha1",
        "kind": "SelfImprovementRun",
        "metadata": {"name": "gsm8k", "namespace": "research", "uid": uid, "generation": 1, "resourceVersion": "1"},
        "spec": {"model": {"uri": "hf://lab/base"}, "dataset": dataset, "maxIterations": 2, **spec},
    }


def checkpoint_of(n: int) -> str | None:
    """Where the worker that trained M_n put it; M_0 is nobody's."""
    return f"i{n:03d}/distill/00000/attempt-a/model" if n else None


def last_word(step: str, index: int) -> str:
    """The summary that a worker ends with: the same for the same shard, whoever does it."""
    id = step_of(step)
    more: dict[str, Any] = {"tokens": 10, "rows": 4, "prompts": 2}
    if id.step == "select":
        more["selected"] = selected(10, 0.1 * id.iteration)
    if id.step == "measure":
        more["measures"] = measures(0.25 + 0.1 * id.iteration, 0.2, checkpoint=checkpoint_of(id.iteration))
    return summary_of(id, index, **more).model_dump_json(by_alias=True, exclude_none=True)


@dataclass
class Cluster:
    """The API server's side of one run."""

    run: dict[str, Any] = field(default_factory=run_manifest)
    now: datetime = START
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    templates: dict[str, Any] = field(default_factory=dict)
    """The pods' spec of every Job that was ever created."""
    graceful: bool = False
    """Whether pods that are told to go take their time, until they are ended."""
    writes: int = 0
    count: int = 0

    # what the operator does

    def look(self) -> Observed:
        """What the operator sees now."""
        return Observed(
            run=copy.deepcopy(self.run),
            jobs=tuple(job_of(job) for job in self.jobs.values()),
            pods=tuple(pod_of(pod, GPU) for pod in self.pods.values()),
            refusals=dict(self.refusals),
        )

    def reconcile(self, observed: Observed | None = None, calls: int | None = None) -> bool:
        """One look and what follows, cut off after so many calls; whether anything was to be done."""
        observed = observed or self.look()
        outcome = reconcile(observed, DEFAULTS, self.now)
        left = iter(range(calls if calls is not None else 10**9))
        writes = outcome.status is not None
        if outcome.status and (next(left, None) is None or not self.write(observed, outcome.status)):
            return True
        for action in outcome.actions:
            if next(left, None) is None:
                return True
            self.do(action)
        if writes:
            self.events += outcome.events
        return bool(outcome.status or outcome.actions)

    def settle(self) -> None:
        """Look until nothing is left to do."""
        for _ in range(20):
            if not self.reconcile():
                return
        raise AssertionError("the operator never comes to rest")

    def write(self, observed: Observed, status: Status) -> bool:
        """A status write, fenced by the version and the run that were seen."""
        seen, here = observed.run["metadata"], self.run["metadata"]
        if seen["resourceVersion"] != here["resourceVersion"] or seen["uid"] != here["uid"]:
            return False
        self.run["status"] = json.loads(json.dumps(status.to_json()))
        here["resourceVersion"] = str(int(here["resourceVersion"]) + 1)
        self.writes += 1
        return True

    def do(self, action: Action) -> None:
        """A call on a Job, with the API server's own answers."""
        match action:
            case CreateJob(manifest):
                self.create(manifest)
            case DeleteJob(name, uid):
                if name in self.jobs and self.jobs[name]["metadata"]["uid"] == uid:
                    self.remove(name)
            case SuspendJob(name, suspend):
                self.suspend(name, suspend)
            case ExpireJob(name, seconds):
                if name in self.jobs:
                    self.jobs[name]["spec"]["ttlSecondsAfterFinished"] = seconds
            case StopJob(name, seconds):
                if name in self.jobs:
                    self.jobs[name]["spec"] |= {"activeDeadlineSeconds": 1, "ttlSecondsAfterFinished": seconds}
                    self.give_up(name, "DeadlineExceeded")

    def create(self, manifest: Any) -> None:
        """A new Job and its pods; nothing where there is one of its name."""
        name = manifest["metadata"]["name"]
        if name in self.jobs:
            return
        job = copy.deepcopy(dict(manifest))
        job["metadata"] |= {"uid": f"job-{self.number()}", "creationTimestamp": self.stamp()}
        job["status"] = {"startTime": self.stamp()}
        self.jobs[name] = job
        self.created.append(name)
        self.templates[name] = job["spec"]["template"]["spec"]
        for index in range(job["spec"]["completions"]):
            self.pod(name, index)

    # what the cluster does

    def pod(self, job: str, index: int) -> str:
        """A pod for an index of a Job."""
        template = self.jobs[job]["spec"]["template"]
        name = f"{job}-{index}-{self.number()}"
        labels = {**template["metadata"]["labels"], "batch.kubernetes.io/job-name": job}
        annotations = {"batch.kubernetes.io/job-completion-index": str(index)}
        uid = f"{self.count:08x}-pod"
        owner = {"kind": "Job", "name": job, "uid": self.jobs[job]["metadata"]["uid"], "controller": True}
        metadata = {"name": name, "uid": uid, "creationTimestamp": self.stamp(), "labels": labels}
        metadata["ownerReferences"] = [owner]
        self.pods[name] = {
            "metadata": {**metadata, "annotations": annotations},
            "spec": copy.deepcopy(template["spec"]),
            "status": {"phase": "Pending"},
        }
        return name

    def start(self, pod: str) -> None:
        """A pod's container runs."""
        state = {"running": {"startedAt": self.stamp()}}
        self.pods[pod]["status"] = {"phase": "Running", "containerStatuses": [{"name": "worker", "state": state}]}

    def end(self, pod: str, code: int = 0, message: str | None = None, disrupted: bool = False) -> None:
        """A pod's container ends; an end that is ignored or may be retried gets another pod."""
        document = self.pods[pod]
        job, index = document["metadata"]["labels"]["batch.kubernetes.io/job-name"], self.index(pod)
        begun = document["status"].get("containerStatuses", [{"state": {}}])[0]["state"].get("running", {})
        if message is None:
            message = self.words(job, index) if code == 0 else f"error: it broke with {code}"
        ended = {"exitCode": code, "message": message, "finishedAt": self.stamp()}
        ended["startedAt"] = begun.get("startedAt", self.stamp())
        conditions = [{"type": "DisruptionTarget", "status": "True"}] if disrupted else []
        phase = "Succeeded" if code == 0 else "Failed"
        state = {"name": "worker", "state": {"terminated": ended}}
        document["status"] = {"phase": phase, "containerStatuses": [state], "conditions": conditions}
        if job in self.jobs and code and "deletionTimestamp" not in document["metadata"]:
            self.retry(job, index, code, disrupted)

    def evict(self, pod: str) -> None:
        """A pod is drained, preempted or its node lost: another is made, and nothing is left of it to be seen."""
        job, index = self.of(pod), self.index(pod)
        del self.pods[pod]
        if job in self.jobs and "conditions" not in self.jobs[job]["status"]:
            self.pod(job, index)

    def retry(self, job: str, index: int, code: int, disrupted: bool) -> None:
        """What the Job controller does after a pod that did not end well."""
        limit = self.jobs[job]["spec"]["backoffLimitPerIndex"]
        failures = [p for p in self.pods if self.of(p) == job and self.index(p) == index and self.counted(p)]
        if code in (2, 3) and not disrupted:
            self.finish(job, "Failed", "PodFailurePolicy")
        elif len(failures) > limit:
            self.finish(job, "Failed", "FailedIndexes")
        else:
            self.pod(job, index)

    def finish(self, job: str, type: str, reason: str = "") -> None:
        """The Job controller's own verdict."""
        self.jobs[job]["status"]["conditions"] = [{"type": type, "status": "True", "reason": reason}]

    def give_up(self, job: str, reason: str) -> None:
        """The Job controller ends a Job: what runs of it goes, what has ended stays."""
        self.finish(job, "Failed", reason)
        self.let_go(job)

    def let_go(self, job: str) -> None:
        """What runs of a Job is told to go."""
        for pod in [pod for pod in self.pods if self.of(pod) == job and not self.is_over(pod)]:
            if self.graceful:
                until = (self.now + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
                self.pods[pod]["metadata"] |= {"deletionTimestamp": until, "deletionGracePeriodSeconds": 30}
            else:
                del self.pods[pod]

    def suspend(self, job: str, suspend: bool) -> None:
        """Hold a Job, its pods deleted, or let it go on with new ones."""
        if job not in self.jobs:
            return
        self.jobs[job]["spec"]["suspend"] = suspend
        self.let_go(job)
        if suspend:
            self.jobs[job]["status"].pop("startTime", None)
            return
        self.jobs[job]["status"]["startTime"] = self.stamp()
        done = {self.index(p) for p in self.pods if self.of(p) == job and self.phase(p) == "Succeeded"}
        for index in set(range(self.jobs[job]["spec"]["completions"])) - done:
            self.pod(job, index)

    def remove(self, job: str) -> None:
        """A Job is gone, its pods with it."""
        self.jobs.pop(job, None)
        self.pods = {name: pod for name, pod in self.pods.items() if self.of(name) != job}

    def collect(self) -> None:
        """Jobs become Complete, and those past their time to live go."""
        for name, job in list(self.jobs.items()):
            indices = {self.index(p) for p in self.pods if self.of(p) == name and self.phase(p) == "Succeeded"}
            if len(indices) == job["spec"]["completions"] and "conditions" not in job["status"]:
                self.finish(name, "Complete")
            if "conditions" in job["status"] and "ttlSecondsAfterFinished" in job["spec"]:
                self.remove(name)

    # small helpers

    @property
    def status(self) -> Status:
        """The status as it is stored."""
        return Status.model_validate(self.run["status"])

    def live(self) -> list[str]:
        """Pods that are not over."""
        return [name for name in self.pods if not self.is_over(name)]

    def words(self, job: str, index: int) -> str:
        """What the worker of this Job says at its end."""
        env = self.jobs[job]["spec"]["template"]["spec"]["containers"][0]["env"]
        order = json.loads(next(each["value"] for each in env if each["name"] == "SELFIMPROVE_ORDER"))
        names = [StepId(s["iteration"], s["step"], s.get("split", "")).name for s in order["steps"]]
        found = [last_word(name, index) for name in names]
        return found[0] if len(found) == 1 else f"[{','.join(found)}]"

    def index(self, pod: str) -> int:
        """The shard of a pod."""
        return int(self.pods[pod]["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"])

    def of(self, pod: str) -> str:
        """The Job of a pod."""
        return str(self.pods[pod]["metadata"]["labels"]["batch.kubernetes.io/job-name"])

    def phase(self, pod: str) -> str:
        """The phase of a pod."""
        return str(self.pods[pod]["status"]["phase"])

    def is_over(self, pod: str) -> bool:
        """Whether a pod has ended."""
        return self.phase(pod) in ("Succeeded", "Failed")

    def counted(self, pod: str) -> bool:
        """Whether the Job controller counts a pod's end as a failure."""
        status = self.pods[pod]["status"]
        ended = (status.get("containerStatuses") or [{"state": {}}])[0]["state"].get("terminated")
        return bool(ended) and ended["exitCode"] not in (0, 4, 143) and not status.get("conditions")

    def stamp(self) -> str:
        """The moment, as the API writes it."""
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def number(self) -> int:
        """A number that was not there before."""
        self.count += 1
        return self.count


def begun(**spec: Any) -> Cluster:
    """A run whose first Job exists and whose pods run."""
    cluster = Cluster(run_manifest(**spec))
    cluster.settle()
    start(cluster)
    return cluster


def start(cluster: Cluster) -> None:
    """Every pod runs, and that has been seen."""
    for pod in cluster.live():
        cluster.start(pod)
    cluster.settle()


def condition(cluster: Cluster, type: str) -> tuple[str, str, str]:
    """Status, reason and message of a condition."""
    found = next(c for c in cluster.status.conditions if c.type == type)
    return found.status, found.reason, found.message


def finish_run(cluster: Cluster, choose: random.Random | None = None) -> None:
    """Everything goes well until the run is over."""
    for _ in range(300):
        cluster.settle()
        if cluster.status.stop is not None:
            return
        for pod in cluster.live():
            cluster.start(pod)
        cluster.reconcile()
        cluster.wait(10)
        for pod in cluster.live():
            cluster.end(pod)
        cluster.collect()
    raise AssertionError("the run never ends")
