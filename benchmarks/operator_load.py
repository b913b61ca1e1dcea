"""How fast, how light and how quiet the operator is, on a real API server with pretended nodes.

    python benchmarks/operator_load.py latency [--runs 200] [--seconds 10] [--minutes 2]
    python benchmarks/operator_load.py scale [--runs 1000]

`latency`: many runs at once whose steps take so many seconds and end spread evenly; from the last pod of a step being
Succeeded to the next Job being there, as one watcher sees both. The alternative is to wait for the Job's own Complete
condition, as most controllers do: the time that the Job controller takes for that in the same run is printed beside.
With `--audit-log`, the operator's writes are counted from the API server's own log, per step and at rest.
`scale`: memory with so many runs and their Jobs, and how long a restart takes to have looked at every one.

A cluster as for the tests: KUBECONFIG, or SELFIMPROVE_TEST_CLUSTER, a command that starts one. Its controller manager
should have room, or its queue is all there is to see: --kube-api-qps=1000 --kube-api-burst=2000
--concurrent-job-syncs=20. Exit 1 when a figure is worse than wanted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # for tests

from tests.fixtures.cluster import START, Cluster, install_crd, some_cluster
from tests.fixtures.fake_nodes import pretended_nodes
from tests.fixtures.operator import Operator, operator_at_work, start_operator, until
from tests.unit.api_support import good

from selfimprove.api.spec import GROUP, PLURAL, VERSION
from selfimprove_operator.client import Client, configuration
from selfimprove_operator.cluster import OURS

NAMESPACE = "benchmark"
WANTED_P99, WANTED_MIB, WANTED_RESYNC, WANTED_WRITES = 0.5, 256, 60, 6
REST_SECONDS = 60


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory() as name, some_cluster(START) as cluster:
        folder = Path(name)
        install_crd(cluster)
        cluster.kubectl("create", "namespace", NAMESPACE)
        try:
            with pretended_nodes(cluster, folder / "kwok.log", count=4, gpus=10000):
                measure = {"latency": latency, "scale": scale}[arguments.what]
                good_enough = measure(arguments, cluster, folder)
        finally:
            cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    sys.exit(not good_enough)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["latency", "scale"])
    parser.add_argument("--runs", type=int, help="how many at once (200, 1000)")
    parser.add_argument("--seconds", type=float, default=10, help="what a step takes")
    parser.add_argument("--minutes", type=float, default=2, help="how long to watch")
    parser.add_argument("--audit-log", type=Path, help="the API server's, at level Metadata")
    return parser.parse_args()


def latency(arguments: argparse.Namespace, cluster: Cluster, folder: Path) -> bool:
    """Print how soon the next Job follows; whether that is soon enough."""
    count = arguments.runs or 200
    with operator_at_work(cluster, folder, SETTINGS) as operator:
        found = asyncio.run(watched(cluster, count, arguments.seconds, 60 * arguments.minutes))
        used, looked, spent = memory(operator), looks(operator), cpu_seconds(operator)
        rest = asyncio.run(at_rest(cluster)) if arguments.audit_log else 0.0
    ours, theirs = np.array(found.follows), np.array(found.completes)
    if not len(ours) or not len(theirs):
        print(f"{count} runs: no change of step was seen from its start to its end; watch longer, or fewer runs")
        return False
    p50, p99 = np.percentile(ours, [50, 99])
    print(f"{count} runs, steps of {arguments.seconds:g} s, {len(ours)} changes of step; {used:.0f} MiB")
    steps = max(found.steps, 1)
    print(f"the operator took {1000 * spent / steps:.0f} ms of CPU and {looked / steps:.1f} looks a step")
    print(f"last pod Succeeded to the next Job: p50 {p50:.3f} s, p99 {p99:.3f} s, worst {ours.max():.3f} s")
    job50, job99 = np.percentile(theirs, [50, 99])
    print(f"what the Job controller takes to say Complete: p50 {job50:.3f} s, p99 {job99:.3f} s")
    print(f"waiting for that instead would take {job50 / p50:.1f} x (p50), {job99 / p99:.1f} x (p99)")
    print(f"wanted: p99 under {WANTED_P99} s")
    quiet = writes(arguments.audit_log, found.window, rest) if arguments.audit_log else True
    return bool(p99 < WANTED_P99) and quiet


def scale(arguments: argparse.Namespace, cluster: Cluster, folder: Path) -> bool:
    """Print what many runs cost; whether that is little enough."""
    count = arguments.runs or 1000
    with operator_at_work(cluster, folder, SETTINGS) as operator:
        began = time.monotonic()
        asyncio.run(create(cluster, count, 0.0, {"fake/fails": "distill", "fake/exit-code": "3"}))
        until(lambda: ended(operator) >= count, 3600, lambda: f"{ended(operator)} of {count} have ended")
        print(
            f"{count} runs of 5 Jobs each to their end in {time.monotonic() - began:.0f} s; {memory(operator):.0f} MiB"
        )
    began = time.monotonic()
    operator = start_operator(cluster, folder, SETTINGS)
    listed = time.monotonic() - began
    until(lambda: looks(operator) >= count, 600)
    seconds, used = time.monotonic() - began, memory(operator)
    operator.end()
    print(f"a restart has listed everything after {listed:.1f} s and looked at every run after {seconds:.1f} s")
    print(f"and holds {used:.0f} MiB (wanted: {WANTED_RESYNC} s, {WANTED_MIB} MiB)")
    return used < WANTED_MIB and seconds < WANTED_RESYNC


SETTINGS = {"watchNamespaces": [NAMESPACE], "resyncSeconds": 20}


@dataclass
class Seen:
    """What the watcher saw: per run the moment of its last Succeeded pod, and what followed."""

    follows: list[float] = field(default_factory=list)
    completes: list[float] = field(default_factory=list)
    steps: int = 0
    window: tuple[float, float] = (0.0, 0.0)
    """Between which moments all runs were at work."""
    pods: dict[str, float] = field(default_factory=dict)
    """Job -> when its pod was first seen to be Succeeded."""
    last: dict[str, str] = field(default_factory=dict)
    """Run -> the Job that ended last."""
    known: set[str] = field(default_factory=set)
    complete: set[str] = field(default_factory=set)

    def pod(self, document: Mapping[str, Any]) -> None:
        """A pod has changed."""
        labels = document["metadata"]["labels"]
        job = labels["batch.kubernetes.io/job-name"]
        if document["status"].get("phase") == "Succeeded" and job not in self.pods:
            self.pods[job] = time.monotonic()
            self.last[labels["selfimprove.dev/run"]] = job
            self.steps += 1

    def job(self, document: Mapping[str, Any]) -> None:
        """A Job is there, or has changed."""
        now, name = time.monotonic(), document["metadata"]["name"]
        run = document["metadata"]["labels"]["selfimprove.dev/run"]
        if name not in self.known:
            self.known.add(name)
            before = self.last.get(run)
            if before in self.pods:
                self.follows.append(now - self.pods[before])
        done = any(c["type"] == "Complete" for c in document.get("status", {}).get("conditions") or [])
        if done and name in self.pods and name not in self.complete:
            self.complete.add(name)
            self.completes.append(now - self.pods[name])


async def watched(cluster: Cluster, count: int, seconds: float, lasting: float) -> Seen:
    """Create the runs spread over the length of a step, and watch for a while after all are there."""
    found = Seen()
    async with connected(cluster) as client:
        tasks = [
            asyncio.create_task(watch(client, "/api/v1", "pods", found.pod)),
            asyncio.create_task(watch(client, "/apis/batch/v1", "jobs", found.job)),
        ]
        await create(cluster, count, seconds / count, {"fake/seconds": f"{seconds:g}s"}, maxIterations=100)
        await asyncio.sleep(2 * seconds)
        found.follows.clear()
        found.completes.clear()
        since = time.time()
        await asyncio.sleep(lasting)
        found.window = (since, time.time())
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return found


async def watch(client: Client, base: str, plural: str, take: Any) -> None:
    """Every change of our objects, for ever."""
    rest: Any = client.api.rest_client
    path = f"{base}/namespaces/{NAMESPACE}/{plural}"
    await client.get(path, limit=1)
    url = f"{client.api.configuration.host}{path}"
    timeout = aiohttp.ClientTimeout(total=None)
    async with rest.pool_manager.get(url, params={"watch": "true", "labelSelector": OURS}, timeout=timeout) as answer:
        async for line in answer.content:
            event = json.loads(line)
            if event["type"] in ("ADDED", "MODIFIED"):
                take(event["object"])


async def create(cluster: Cluster, count: int, pause: float, labels: Mapping[str, str], **spec: Any) -> None:
    """So many runs, one after another."""
    async with connected(cluster) as client:
        for number in range(count):
            document = good()
            document["metadata"] = {"name": f"run-{number}", "namespace": NAMESPACE, "labels": dict(labels)}
            document["spec"] |= spec
            await client.create(f"/apis/{GROUP}/{VERSION}/namespaces/{NAMESPACE}/{PLURAL}", document)
            await asyncio.sleep(pause)


async def at_rest(cluster: Cluster) -> float:
    """Suspend every run, wait until that is done, and give the moment from which on nothing may be written."""
    async with connected(cluster) as client:
        runs = f"/apis/{GROUP}/{VERSION}/namespaces/{NAMESPACE}/{PLURAL}"
        for run in (await client.get(runs))["items"]:
            path = f"{runs}/{run['metadata']['name']}"
            await client.patch(path, {"spec": {"suspend": True}}, "application/merge-patch+json")
        await asyncio.sleep(20)
        since = time.time()
        await asyncio.sleep(REST_SECONDS)
        return since


@asynccontextmanager
async def connected(cluster: Cluster) -> AsyncIterator[Client]:
    """A client of the benchmark's own."""
    client = Client(await configuration(cluster.kubeconfig))
    client.api.user_agent = "benchmark"
    try:
        yield client
    finally:
        await client.close()


def writes(log: Path, window: tuple[float, float], rest: float) -> bool:
    """Print what the operator wrote, from the API server's audit log; whether that is little enough."""
    calls: dict[str, int] = {}
    jobs = resting = 0
    for line in log.read_text().splitlines():
        call = json.loads(line)
        mine = call.get("userAgent", "").startswith("selfimprove-operator")
        if not mine or call["stage"] != "ResponseComplete" or call["verb"] in ("get", "list", "watch"):
            continue
        what = call["objectRef"]
        if what["resource"] == "leases" or "dryRun" in call["requestURI"] or what.get("namespace") != NAMESPACE:
            continue
        at = moment(call["requestReceivedTimestamp"])
        resting += at > rest
        if not window[0] <= at < window[1]:
            continue
        if call["verb"] == "create" and what["resource"] == "jobs" and call["responseStatus"]["code"] == 201:
            jobs += 1
        name = f"{call['verb']} {'/'.join(filter(None, (what['resource'], what.get('subresource'))))}"
        if call["responseStatus"]["code"] >= 300:
            name += f" ({call['responseStatus']['code']})"
        calls[name] = calls.get(name, 0) + 1
    steps = max(jobs, 1) * 6 / 5  # of the six steps of an iteration generate and verify share a Job
    each = sum(calls.values()) / steps
    print(f"{each:.2f} writes a step (wanted: {WANTED_WRITES}): {calls} over {steps:.0f} steps in {jobs} Jobs")
    print(f"{resting} writes in {REST_SECONDS} s at rest (wanted: 0)")
    return each <= WANTED_WRITES and resting == 0


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def memory(operator: Operator) -> float:
    """What the operator's process holds, in MiB."""
    found: float = psutil.Process(operator.process.pid).memory_info().rss / 2**20
    return found


def cpu_seconds(operator: Operator) -> float:
    """What the operator's process has spent."""
    times = psutil.Process(operator.process.pid).cpu_times()
    found: float = times.user + times.system
    return found


def ended(operator: Operator) -> float:
    return operator.metric(r'selfimprove_run_state.*state="(Failed|Succeeded)"')


def looks(operator: Operator) -> float:
    return operator.metric("selfimprove_reconcile_seconds_count")


if __name__ == "__main__":
    main()
